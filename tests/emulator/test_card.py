"""A card is anybody's record: one of another form is told in one line."""

import dataclasses
import json
from pathlib import Path

import pytest

from alfonsine.emulator.card import card_text
from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError

EMULATOR = load_emulator(Path(__file__).parent / "golden" / "format-3-dense.safetensors")


def test_a_card_of_the_known_form_is_shown():
    assert "Inputs" in card_text(EMULATOR) and "Outputs" in card_text(EMULATOR)


@pytest.mark.parametrize(
    "card",
    [
        {"theory": "."},
        {"held_out": [1]},
        {"held_out": {"x": {"percent": 1}}},
        {"speed": {"one": None}},
        {"features": 3},
        {"training_points": 1, "training_digest": 5},
    ],
)
def test_a_card_of_another_form_is_told_in_one_line(card):
    with pytest.raises(InputError, match="expected a card as alfonsine writes it") as told:
        card_text(dataclasses.replace(EMULATOR, card_text=json.dumps(card)))
    assert "\n" not in str(told.value)
