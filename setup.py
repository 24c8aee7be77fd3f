"""What setup.cfg cannot say: two folders beside the package are installed inside it.

The presets in configs/ become sfmcam/configs/, and the list of weights in third_party/ becomes sfmcam/third_party/.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["sfmcam*"]), "sfmcam.configs", "sfmcam.third_party"],
    package_dir={"sfmcam.configs": "configs", "sfmcam.third_party": "third_party"},
)
