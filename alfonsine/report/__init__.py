"""The report: reads the records of a run folder, draws them on one page, and changes nothing else."""

from alfonsine.report.contents import Contents
from alfonsine.report.report import render

__all__ = ["Contents", "render"]
