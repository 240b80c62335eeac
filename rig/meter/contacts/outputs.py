"""Identity of an output of the meter, one for program, service, results, bench and stores."""

from __future__ import annotations

from enum import Enum


class OutputId(Enum):
    """An output of the meter: the test LED (P-1), or one of four form-C contacts (P-2).

    The value is its name in JSON, in stores and in the keys of rig.toml; `label` the one that programs, people and the
    bench use. Between modules neither is passed, but the member.
    """

    label: str

    TEST_LED = "test_led", "LED"
    KYZ1 = "kyz1", "KYZ1"
    KYZ2 = "kyz2", "KYZ2"
    KYZ3 = "kyz3", "KYZ3"
    KYZ4 = "kyz4", "KYZ4"

    def __new__(cls, value: str, label: str) -> OutputId:
        output = object.__new__(cls)
        output._value_, output.label = value, label
        return output


KYZ_OUTPUTS = (OutputId.KYZ1, OutputId.KYZ2, OutputId.KYZ3, OutputId.KYZ4)
"""The form-C contacts, whatever their function."""
