"""What setup.cfg cannot say: the presets in configs/ are installed inside the package, as sfmcam/configs/."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["sfmcam*"]), "sfmcam.configs"], package_dir={"sfmcam.configs": "configs"})
