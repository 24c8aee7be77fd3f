"""kornia's networks come with the weights of a file or not at all: random weights are never used silently."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from learned_weights import feature, published, torch, write_weights

import sfmcam
from sfmcam.errors import InputError
from sfmcam.estimators.colmap.learned.loading import NETWORKS, load_network
from sfmcam.estimators.colmap.learned.needs import WEIGHTS
from sfmcam.io.weights import weights_list

DIFFERENT = sorted(set(NETWORKS) - {"lightglue-aliked"})  # which is the network of lightglue-disk
PACKAGE = Path(sfmcam.__file__).parent


@pytest.mark.parametrize("name", DIFFERENT)
def test_every_number_is_that_of_the_file(name, tmp_path):
    path = write_weights(tmp_path, name)[name]
    torch.manual_seed(99)  # whatever the constructor draws must not show
    network = load_network(name, path)
    content = published(name)
    (stored,) = content.values() if NETWORKS[name].state else (content,)
    own = [tensor for key, tensor in network.state_dict().items() if key not in NETWORKS[name].derived]
    assert len(own) == len(stored)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(own, stored.values(), strict=True))
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def spoil(name, tmp_path, how):
    """Write the weights of `name` after `how` has changed their tensors."""
    content = published(name)
    how(content[NETWORKS[name].state] if NETWORKS[name].state else content)
    path = tmp_path / "spoilt.pth"
    torch.save(content, path)
    return path


def remove_one(state):
    del state[sorted(state)[len(state) // 2]]


def cut_one(state):
    key = max(state, key=lambda k: state[k].numel())
    state[key] = state[key][:1]


def poison_one(state):
    state[next(iter(state))].view(-1)[0] = float("nan")


@pytest.mark.parametrize("name", ["disk", "aliked"])  # the small ones; the rule is the same for all
@pytest.mark.parametrize(
    ("how", "told"), [(remove_one, "lacks "), (cut_one, "in another shape"), (poison_one, "not finite in")], ids=["missing", "shape", "nan"]
)
def test_a_file_that_does_not_fill_the_network_is_refused(name, how, told, tmp_path):
    with pytest.raises(InputError, match=rf"does not fit the network '{name}': it .*{told}.*`sfmcam weights get {name}`") as caught:
        load_network(name, spoil(name, tmp_path, how))
    assert "\n" not in str(caught.value)


def test_a_tensor_too_many_is_refused(tmp_path):
    path = spoil("disk", tmp_path, lambda state: state.update(surplus=torch.zeros(1)))
    with pytest.raises(InputError, match="has too much: surplus"):
        load_network("disk", path)


def test_lightglue_of_another_depth_is_refused(tmp_path):
    path = spoil("lightglue-disk", tmp_path, lambda state: [state.pop(key) for key in list(state) if "_attn.8" in key])
    with pytest.raises(InputError, match=r"lacks transformers\.8\.cross_attn.* more"):
        load_network("lightglue-disk", path)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"<html>not found</html>", "no PyTorch file"), (b"", "no PyTorch file"), (None, "cannot read the weights .*no such file")],
    ids=["a web page", "empty", "missing"],
)
def test_what_is_no_weights_file_is_one_sentence(content, told, tmp_path):
    path = tmp_path / "disk.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        load_network("disk", path)


def test_the_weights_of_another_network_are_refused(tmp_path):
    path = write_weights(tmp_path, "aliked")["aliked"]
    with pytest.raises(InputError, match=r"does not fit the network 'disk': it lacks .* more; it has too much: "):
        load_network("disk", path)


def test_a_file_that_runs_code_is_refused(tmp_path):
    torch.save({"extractor": feature.DISK()}, tmp_path / "pickled.pth")  # a whole module, which only arbitrary code can rebuild
    with pytest.raises(InputError, match="no PyTorch file of tensors alone"):
        load_network("disk", tmp_path / "pickled.pth")


def test_the_table_of_needs_is_that_of_the_networks_and_each_can_be_fetched():
    assert {name for names in WEIGHTS.values() for name in names} == set(NETWORKS)
    assert set(NETWORKS) <= set(weights_list())


@pytest.mark.parametrize("name", sorted(set(DIFFERENT) - {"loftr-outdoor"}))
def test_a_network_is_as_large_as_the_published_file(name, tmp_path):
    """The list has the sizes of the published files: next to nothing but these tensors is in them."""
    size = weights_list()[name].size_bytes
    assert write_weights(tmp_path, name)[name].stat().st_size == pytest.approx(size, rel=0.015)


def test_no_other_module_makes_a_network_of_kornia():
    """Its constructors give random weights without a word, so only the module that fills them may call them."""
    makers = {"DISK", "ALIKED", "LoFTR", "LightGlue", "LightGlueMatcher", "KeyNetHardNet", "GFTTAffNetHardNet", "DeDoDe", "XFeat"}
    calling = set()
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "kornia" in text else ():
            if not isinstance(node, ast.Call):
                continue
            # `DISK()`, `feature.DISK()`, and `partial(DISK, ...)`
            called = [node.func, *node.args]
            names = {n.id if isinstance(n, ast.Name) else n.attr for n in called if isinstance(n, ast.Name | ast.Attribute)}
            is_check = isinstance(node.func, ast.Name) and node.func.id == "isinstance"
            if names & makers and not is_check:
                calling.add(file.relative_to(PACKAGE).as_posix())
    assert calling == {"estimators/colmap/learned/loading.py"}
