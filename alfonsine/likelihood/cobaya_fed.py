"""The theory that a likelihood of Cobaya meets here: it computes nothing and serves what it was last given."""

from collections.abc import Iterable, Mapping

from alfonsine.hosts import cobaya_words as words
from alfonsine.hosts.cobaya_served import Served
from alfonsine.hosts.quantities import Quantities
from alfonsine.theory.camb_names import DERIVED as CAMB_DERIVED
from alfonsine.theory.class_names import KNOWN_DERIVED

PARAMETER = "fed"


class Fed(Served):
    """Whatever is required is promised; what cannot be had is told when the study is prepared."""

    def feed(self, held: Quantities) -> None:
        """Serve this from now on."""
        self._current_state = {"quantities": held, "params": {}, "derived": {}}

    def quantities(self, params: Mapping[str, float]) -> Quantities | None:
        """What it was fed."""
        return self.held

    def get_allow_agnostic(self) -> bool:
        """It has no parameters but one."""
        return False

    def get_can_support_params(self) -> Iterable[str]:
        """Cobaya wants every theory to depend on something."""
        return [PARAMETER]

    def get_can_provide_params(self) -> Iterable[str]:
        """Every number that a theory here might give."""
        return {*words.NUMBERS, *KNOWN_DERIVED, *CAMB_DERIVED}
