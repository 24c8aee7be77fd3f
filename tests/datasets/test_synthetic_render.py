"""The renderer: exact positions of pixels, texels and depths, occlusion, cut-outs, movers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sfmcam.datasets.synthetic.atlas import ATLAS_WIDTH_PX, LEVELS, build_atlas, mip_levels
from sfmcam.datasets.synthetic.clip import render_clip
from sfmcam.datasets.synthetic.render import SAMPLE_OFFSETS_PX, Renderer, View
from sfmcam.datasets.synthetic.scene import BoxTextures, Mover, Scene, Surface, box, vertical
from sfmcam.datasets.synthetic.scenes.movers import MoverKind, MoverSpec
from sfmcam.datasets.synthetic.spec import ClipSpec
from sfmcam.datasets.synthetic.stage import SCENES, Stage, build_stage
from sfmcam.datasets.synthetic.visibility import Grid
from sfmcam.geometry.rigid import rigid_from_parts
from sfmcam.geometry.rotation import rotation_from_vector
from sfmcam.types import UInt8

SIZE = (96, 64)
FOCAL = 80.0


def plain(tone: int, size_px: tuple[int, int] = (8, 8)) -> UInt8:
    return np.full((size_px[1], size_px[0], 3), tone, np.uint8)


def stage_of(*surfaces: Surface, movers: tuple[Mover, ...] = ()) -> Renderer:
    return Renderer(Scene(surfaces, np.eye(4), np.zeros(3)), movers, SIZE)


def camera(*, at: tuple[float, float, float] = (0, 0, 0), turn: tuple[float, float, float] = (0, 0, 0), time_s: float = 0.0) -> View:
    world_from_cam = rigid_from_parts(rotation_from_vector(np.array(turn, float)), np.array(at, float))
    return View(np.linalg.inv(world_from_cam), FOCAL, time_s)


def drawn(renderer: Renderer, view: View) -> UInt8:
    return renderer.draw([view] * len(SAMPLE_OFFSETS_PX))


def test_the_samples_of_a_pixel_are_centred_on_it() -> None:
    offsets = np.array(SAMPLE_OFFSETS_PX)
    assert offsets.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert len(set(offsets[:, 0])) == len(set(offsets[:, 1])) == len(offsets)


def test_a_picture_plane_at_focal_distance_shows_its_texture_texel_by_pixel() -> None:
    """Texels as large as pixels, in register with them: pixel (i, j) must show texel (i, j), up to the samples' own blur."""
    ramp = np.repeat(np.arange(SIZE[0], dtype=np.uint8)[None, :] * 2, SIZE[1], axis=0)
    steps = np.repeat(np.arange(SIZE[1], dtype=np.uint8)[:, None] * 3, SIZE[0], axis=1)
    texture = np.dstack([ramp, steps, ramp])
    width, height = SIZE[0] / FOCAL, SIZE[1] / FOCAL
    picture = drawn(stage_of(vertical((-width / 2, height / 2, 1.0), (width, height), texture)), camera())
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(picture[inner].astype(int) - texture[inner]).max() <= 1


def test_an_edge_covers_its_pixel_in_proportion() -> None:
    """A white half plane whose edge lies a quarter into pixel 40 leaves three of the four samples white there."""
    edge_m = (40.25 - SIZE[0] / 2) / FOCAL
    renderer = stage_of(vertical((-5, 5, 2.0), (10, 10), plain(0)), vertical((edge_m, 5, 1.0), (5, 10), plain(240)))
    row = drawn(renderer, camera())[SIZE[1] // 2, :, 0]
    assert row[39] == 0
    assert row[41] == 240
    assert row[40] == pytest.approx(180, abs=1)


def test_depth_is_along_the_optical_axis_at_pixel_centres() -> None:
    """Golden by hand: a plane z = 2 + 0.5 x is met by the ray ((x_px - w/2)/f, 0, 1) at depth 2 / (1 - 0.5 (x_px - w/2)/f)."""
    tilted = Surface(np.array([-3.0, -4.0, 0.5]), np.array([6.0, 0.0, 3.0]), np.array([0.0, 8.0, 0.0]), plain(100))
    depth = stage_of(tilted).depth(camera())
    x = (np.arange(SIZE[0]) + 0.5 - SIZE[0] / 2) / FOCAL
    assert depth[10] == pytest.approx(2 / (1 - 0.5 * x), rel=1e-5)


def test_depth_on_a_coarse_grid_is_exact_at_the_cells_centres() -> None:
    tilted = Surface(np.array([-3.0, -4.0, 0.5]), np.array([6.0, 0.0, 3.0]), np.array([0.0, 8.0, 0.0]), plain(100))
    coarse = stage_of(tilted).depth(camera(), (24, 16))
    x = ((np.arange(24) + 0.5) * 4 - SIZE[0] / 2) / FOCAL
    assert coarse.shape == (16, 24)
    assert coarse[3] == pytest.approx(2 / (1 - 0.5 * x), rel=1e-5)


def test_order_of_surfaces_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    sides = [plain(int(tone)) for tone in rng.integers(30, 250, 12)]
    surfaces = [vertical((-4, 3, 6), (8, 6), plain(20))]
    for k in range(6):
        textures = BoxTextures((sides[k], sides[k + 1], sides[k + 2], sides[k + 3]), sides[k + 4])
        surfaces += box(
            (float(rng.uniform(-1.5, 1.5)), 0.8, float(rng.uniform(2, 5))), (0.7, 1.2, 0.7), textures, turn_deg=float(rng.uniform(0, 90))
        )
    shuffled = [surfaces[i] for i in rng.permutation(len(surfaces))]
    view = camera(at=(0.1, -0.2, 0), turn=(-0.05, 0.1, 0.2))
    assert np.array_equal(drawn(stage_of(*surfaces), view), drawn(stage_of(*shuffled), view))


def test_rectangles_that_cut_through_each_other_are_split_where_they_meet() -> None:
    left_near = Surface(np.array([-3.0, -2, 1.0]), np.array([6.0, 0, 2.0]), np.array([0, 4.0, 0]), plain(200))
    right_near = Surface(np.array([-3.0, -2, 3.0]), np.array([6.0, 0, -2.0]), np.array([0, 4.0, 0]), plain(50))
    row = drawn(stage_of(left_near, right_near), camera())[SIZE[1] // 2, :, 0]
    assert (row[: SIZE[0] // 2] == 200).all()
    assert (row[SIZE[0] // 2 :] == 50).all()


def test_what_lies_behind_the_camera_or_edge_on_is_not_drawn() -> None:
    behind = vertical((-5, 5, -2.0), (10, 10), plain(200))
    edge_on = Surface(np.array([0.0, -1, 0]), np.array([0, 0, 3.0]), np.array([0, 2.0, 0]), plain(200))
    assert not drawn(stage_of(behind, edge_on), camera()).any()


def test_a_floor_that_runs_under_the_camera_is_cut_at_the_horizon() -> None:
    floor = Surface(np.array([-50.0, 1.0, 100.0]), np.array([100.0, 0, 0]), np.array([0, 0, -200.0]), plain(120))
    picture = drawn(stage_of(floor), camera())[:, :, 0]
    assert (picture[SIZE[1] // 2 + 2 :] == 120).all()
    assert not picture[: SIZE[1] // 2].any()


def test_solid_sides_are_left_out_from_behind_only() -> None:
    sides = box((0, 1, 3), (1, 2, 1), BoxTextures((plain(100),) * 4, plain(100)))
    front, back = sides[0], sides[2]
    assert drawn(stage_of(front), camera()).any()
    assert not drawn(stage_of(back), camera()).any()
    assert drawn(stage_of(replace(back, is_one_sided=False)), camera()).any()


def test_a_cutout_shows_what_is_behind_it() -> None:
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, :16] = 255
    half = np.dstack([plain(220, (32, 32)), alpha])
    renderer = stage_of(vertical((-5, 5, 4.0), (10, 10), plain(60)), vertical((-1, 1, 2.0), (2, 2), half))
    row, depth = drawn(renderer, camera())[32, :, 0], renderer.depth(camera())[32]
    middle = SIZE[0] // 2
    assert (row[middle - 20 : middle - 2] == 220).all()
    assert (row[middle + 2 : middle + 20] == 60).all()
    assert depth[middle - 10] == pytest.approx(2)
    assert depth[middle + 10] == pytest.approx(4)


def test_a_backdrop_has_no_depth() -> None:
    sky = replace(vertical((-9, 9, 8.0), (18, 18), plain(90)), is_backdrop=True)
    renderer = stage_of(sky, vertical((0, 5, 2.0), (5, 10), plain(60)))
    depth = renderer.depth(camera())
    assert np.isnan(depth[:, : SIZE[0] // 2 - 1]).all()
    assert depth[:, SIZE[0] // 2 + 1 :] == pytest.approx(2)


def test_movers_are_masked_and_leave_the_scene_its_depth() -> None:
    def pose(time_s: float) -> np.ndarray:
        return rigid_from_parts(np.eye(3), np.array([time_s, 0.0, 2.0]))

    card = Surface(np.array([-0.25, -0.25, 0.0]), np.array([0.5, 0, 0]), np.array([0, 0.5, 0]), plain(250))
    renderer = stage_of(vertical((-5, 5, 4.0), (10, 10), plain(60)), movers=(Mover((card,), pose),))
    for time_s in (0.0, 0.5):
        mask = renderer.mover_mask(camera(time_s=time_s))
        columns = np.flatnonzero(mask.any(axis=0))
        assert columns.mean() + 0.5 == pytest.approx(SIZE[0] / 2 + time_s / 2 * FOCAL, abs=0.6)
        assert mask.sum() == pytest.approx((0.5 * FOCAL / 2) ** 2, rel=0.1)
        assert renderer.depth(camera(time_s=time_s)) == pytest.approx(4)
        assert np.array_equal(drawn(renderer, camera(time_s=time_s))[:, :, 0] > 150, mask)


def test_small_texture_detail_does_not_shimmer() -> None:
    """Stripes finer than pixels must average to grey from every angle, not beat against the pixels."""
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    renderer = stage_of(vertical((-5, 5, 3.0), (10, 10), stripes))
    pictures = [drawn(renderer, camera(at=(dx, 0, 0)))[8:-8, 8:-8, 0] for dx in (0.0, 0.004, 0.009)]
    assert np.ptp(np.array(pictures, float)) < 40
    assert np.mean(pictures) == pytest.approx(127.5, abs=2)


def test_the_atlas_holds_every_level_with_its_rim_repeated() -> None:
    rng = np.random.default_rng(0)
    textures = [rng.integers(0, 255, (int(h), int(w), 3)).astype(np.uint8) for h, w in rng.integers(4, 700, (9, 2))]
    atlas = build_atlas(textures)
    assert atlas.picture.shape[1] == ATLAS_WIDTH_PX
    for index, texture in enumerate(textures):
        for number, level in enumerate(mip_levels(texture)):
            x, y = atlas.origin_px[index * LEVELS + number].astype(int)
            w, h = atlas.size_px[index * LEVELS + number].astype(int)
            assert np.array_equal(atlas.picture[y : y + h, x : x + w], level)
            assert np.array_equal(atlas.picture[y : y + h, x - 1], level[:, 0])
            assert np.array_equal(atlas.picture[y + h, x : x + w], level[-1])


@pytest.fixture(scope="module")
def small_clip_spec() -> ClipSpec:
    walker = MoverSpec(MoverKind.WALKER, (0.4, -0.8), (-0.8, 0.0))
    return ClipSpec("small", "gallery", 9, movers=(walker,), size_px=(96, 54), fps=4.0, seconds=1.0, noise=2.0)


def test_a_recipe_gives_the_same_clip_twice_and_a_sound_trajectory(small_clip_spec: ClipSpec) -> None:
    first, second = render_clip(small_clip_spec), render_clip(small_clip_spec)
    assert np.array_equal(first.frames, second.frames)
    assert first.frames.shape == (4, 54, 96, 3)
    assert first.depth.shape == first.mover_masks.shape == (4, 13, 24)
    assert 0.01 < first.mover_masks.mean() < 0.6
    trajectory = first.trajectory()
    assert trajectory.num_valid == 4
    assert trajectory.median_depth == pytest.approx(first.path.depth_m, rel=0.02)
    assert trajectory.focal_px == pytest.approx(small_clip_spec.focal_px)


def test_noise_has_its_stated_strength_and_a_still_camera_repeats_its_picture(small_clip_spec: ClipSpec) -> None:
    stage = build_stage(replace(small_clip_spec, movers=()))
    clean = replace(stage, spec=replace(stage.spec, noise=0.0))
    pictures = [clean.frame(t, np.random.default_rng(k)) for k, t in enumerate((0.0, 0.5))]
    assert np.array_equal(*pictures)
    noisy = stage.frame(0.0, np.random.default_rng(1)).astype(float) - pictures[0]
    unclipped = (pictures[0] > 12) & (pictures[0] < 243)
    assert noisy[unclipped].std() == pytest.approx(2.0, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_closed_textured_and_have_room_to_move(name: str) -> None:
    stage: Stage = build_stage(ClipSpec("look", name, 11, size_px=(160, 90), noise=0.0))
    for yaw in np.radians([-40, 0, 40]):
        turn = rigid_from_parts(rotation_from_vector(np.array([0.0, yaw, 0.0])), np.zeros(3))
        view = View(np.linalg.inv(stage.path.world_from_start @ turn), stage.spec.focal_px, 0.0)
        seen = stage.renderer._visible(view, Grid.over((160, 90)), with_movers=True)
        assert (seen.surface >= 0).all()
    depth = stage.renderer.depth(stage.view(0.0))
    assert np.nanmin(depth) > (0.1 if name == "thicket" else 0.3) * stage.path.depth_m  # the thicket's point is what is near
    assert np.isfinite(depth).mean() > 0.6
    assert stage.frame(0.0, np.random.default_rng(0)).std() > 20
