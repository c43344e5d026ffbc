"""`python -m dispatch import roads FILE.osm.pbf`: the graph lies in the data directory, or nothing does."""

from __future__ import annotations

from pathlib import Path

import osmium
import pytest

from dispatch.__main__ import ROADS, main
from routing.travel.roads import RoadGraph


@pytest.fixture
def data_dir(ground: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = ground / "roads"
    monkeypatch.setenv("DISPATCH_DATA_DIR", str(home))
    return home


def extract(path: Path) -> Path:
    with osmium.SimpleWriter(str(path)) as writer:
        for number in (1, 2, 3):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(109.19 + number / 1000, 12.24), version=1))
        writer.add_way(osmium.osm.mutable.Way(id=1, nodes=[1, 2, 3], tags={"highway": "residential"}, version=1))
    return path


def test_roads_of_an_extract_are_kept_in_the_data_directory(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "roads", str(extract(tmp_path / "nha_trang.osm.pbf"))]) == 0
    graph = RoadGraph.load(data_dir / ROADS)
    assert (len(graph.lat), len(graph.tail)) == (3, 4)
    said = capsys.readouterr().out
    assert "3 nút · nodes, 4 cung · arcs" in said
    assert "OpenStreetMap contributors" in said


def test_a_file_that_is_no_map_is_refused_in_one_line_and_leaves_the_old_roads(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "roads", str(extract(tmp_path / "good.osm.pbf"))]) == 0
    before = (data_dir / ROADS).read_bytes()
    (tmp_path / "bad.osm.pbf").write_bytes(b"no map")
    capsys.readouterr()
    for name in ("bad.osm.pbf", "none.osm.pbf"):
        assert main(["import", "roads", str(tmp_path / name)]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        assert name in lines[0]
    assert (data_dir / ROADS).read_bytes() == before
