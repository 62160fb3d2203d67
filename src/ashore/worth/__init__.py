"""Worth: costs against mining income. What a rig earns, what it is worth, and the duty that takes it all.

Names are loaded when first used: the command line states its options from here and must not wait for arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ashore.lazy import first_use

if TYPE_CHECKING:
    from ashore.worth.appraisal import (
        Months,
        Worth,
        appraise,
        life,
        mean_path_usd,
        option_usd,
        payback_flat_months,
        sensitivity,
    )
    from ashore.worth.given import Given
    from ashore.worth.inputs import BOUNDS, Assumed, Outlook, Rig, assumed, faults_of, outlook_of, read_assumed, rig_of

_HOMES = {
    "Assumed": "inputs",
    "BOUNDS": "inputs",
    "Given": "given",
    "Months": "appraisal",
    "Outlook": "inputs",
    "Rig": "inputs",
    "Worth": "appraisal",
    "appraise": "appraisal",
    "assumed": "inputs",
    "faults_of": "inputs",
    "life": "appraisal",
    "mean_path_usd": "appraisal",
    "option_usd": "appraisal",
    "outlook_of": "inputs",
    "payback_flat_months": "appraisal",
    "read_assumed": "inputs",
    "rig_of": "inputs",
    "sensitivity": "appraisal",
}

__all__ = [
    "BOUNDS",
    "Assumed",
    "Given",
    "Months",
    "Outlook",
    "Rig",
    "Worth",
    "appraise",
    "assumed",
    "faults_of",
    "life",
    "mean_path_usd",
    "option_usd",
    "outlook_of",
    "payback_flat_months",
    "read_assumed",
    "rig_of",
    "sensitivity",
]


def __getattr__(name: str) -> object:
    """A public name from the module that holds it, imported on first use."""
    return first_use(__name__, name, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
