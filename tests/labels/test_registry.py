"""The folder is the registry: a new file is a new format or writer, and each file keeps the contract."""

from importlib import import_module
from pathlib import Path

import pytest

import labels
from labels.layout import Drawing
from labels.writers import pdf
from tests.labels.samples import full_label, label

ROOT = Path(labels.__file__).parent


def modules(folder):
    return [import_module(f"labels.{folder}.{path.stem}") for path in sorted((ROOT / folder).glob("[!_]*.py"))]


def test_every_file_in_the_folders_can_be_asked_for_by_name():
    assert labels.format_names() == tuple(sorted(module.NAME for module in modules("formats")))
    assert labels.writer_names() == tuple(sorted(module.NAME for module in modules("writers")))
    assert "100x150" in labels.format_names()
    assert "pdf" in labels.writer_names()


@pytest.mark.parametrize("module", modules("formats"), ids=lambda module: module.NAME)
def test_each_format_draws_its_own_size_and_says_what_it_is(module):
    assert module.__doc__
    drawing = module.draw(label(), pdf.measure)
    assert isinstance(drawing, Drawing)
    assert (drawing.width_mm, drawing.height_mm) == module.SIZE_MM


@pytest.mark.parametrize("writer", labels.writer_names())
@pytest.mark.parametrize("format", labels.format_names())
def test_every_format_prints_with_every_writer(format, writer):
    one = labels.render(label(), format, writer)
    assert isinstance(one, bytes)
    assert len(labels.render_many([label(), full_label()], format, writer)) > len(one) > 100
    assert "/" in labels.media_type(writer)


def test_a_new_file_in_the_folder_is_a_new_format(tmp_path, monkeypatch):
    before = labels.format_names()
    source = (ROOT / "formats" / "thermal_100x150.py").read_text()
    (tmp_path / "thermal_again.py").write_text(source.replace('NAME = "100x150"', 'NAME = "again"'))
    monkeypatch.setattr(import_module("labels.formats"), "__path__", [str(ROOT / "formats"), str(tmp_path)])
    labels._modules.cache_clear()
    try:
        assert labels.format_names() == tuple(sorted((*before, "again")))
        assert labels.render(label(), format="again") == labels.render(label())
    finally:
        labels._modules.cache_clear()


def test_two_files_with_one_name_are_a_mistake_that_shows_at_once(tmp_path, monkeypatch):
    (tmp_path / "thermal_twin.py").write_text((ROOT / "formats" / "thermal_100x150.py").read_text())
    monkeypatch.setattr(import_module("labels.formats"), "__path__", [str(ROOT / "formats"), str(tmp_path)])
    labels._modules.cache_clear()
    try:
        with pytest.raises(ImportError, match="both named 100x150"):
            labels.format_names()
    finally:
        labels._modules.cache_clear()
