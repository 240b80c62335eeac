"""A new program is right as it is written, and still right with everything it offers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from rig.files.strict_toml import ConfigError, convert
from rig.files.whole import FileError
from rig.meter.measuring.elements import FORMS
from rig.meter.models import MODELS
from rig.program import schema
from rig.program.build import Program, build, load_program
from rig.program.new import new_program, write_new


def program(text: str) -> Program:
    return build(convert(tomllib.loads(text), schema.ProgramFile))


def uncommented(text: str) -> str:
    """With what stands behind a "#" without a space: keys, tables, and the lines inside them."""
    return re.sub(r"^( *)#(?=\[|\w+ =|\{|    \{|\])", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_and_form(model: str) -> None:
    for form in FORMS:
        text = new_program(model, form, 20)
        made = program(text)
        assert (made.nameplate.type, made.nameplate.form) == (model, form)
        assert (
            made.nameplate == program(f'[meter]\nmodel = "{model}"\nform = "{form}"\nserial = "00 000 000"').nameplate
        )
        whole = program(uncommented(text))
        assert whole.digest != made.digest
        assert (whole.file.tou is not None) == (not model.startswith("AXL"))


@pytest.mark.parametrize("current_class", [10, 20, 200, 320])
def test_every_class(current_class: int) -> None:
    for form in FORMS:
        assert program(new_program("RXRS4e", form, current_class)).metering.current_class == current_class


def test_nothing_is_commented_that_does_not_count() -> None:
    """Every "#" without a space hides something."""
    text = new_program("RXRS4e", "9S", 20)
    assert not re.search(r"^ *#(?! )", uncommented(text), re.MULTILINE)


def test_other_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r'meter\.form: form "7S"'):
        new_program("RXRS4e", "7S", 20)
    with pytest.raises(ConfigError, match=r'meter\.model: model "RX"'):
        new_program("RX", "9S", 20)


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    write_new(path, new_program("AXS4", "4S", 20), force=False)
    assert load_program(path).nameplate.type == "AXS4"
    with pytest.raises(FileError, match=r"meter\.toml exists"):
        write_new(path, "", force=False)
    write_new(path, new_program("AXS4", "2S", 200), force=True)
    assert load_program(path).nameplate.form == "2S"
    assert list(tmp_path.iterdir()) == [path]
