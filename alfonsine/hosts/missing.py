"""The one answer to a question that an emulator cannot answer."""

from alfonsine.errors import InputError


class MissingQuantity(InputError):
    """What was asked, in the words of the host; what there is; what to add to the study. Never a default instead."""

    def __init__(self, asked: str, held: str, advice: str) -> None:
        super().__init__(f"expected {asked}, got {held}; {advice}")
