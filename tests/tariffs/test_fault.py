"""Faults: what is wrong with a table, where, and by which check."""

from __future__ import annotations

import pickle

import pytest

import tokencost as tc
from tokencost.tariffs.fault import CODES, Fault, raise_faults

FAULT = Fault("T03", "acme/global/m.toml", "version 2025-01-20, row 1", "input = -1.0 is negative; write 0 or more", 7)


def test_codes_run_from_t01_to_t22():
    assert list(CODES) == [f"T{n:02}" for n in range(1, 23)]
    assert all(CODES.values())


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (FAULT, "acme/global/m.toml:7: T03 version 2025-01-20, row 1: input = -1.0 is negative; write 0 or more"),
        (FAULT._replace(line=None, where=""), "acme/global/m.toml: T03 input = -1.0 is negative; write 0 or more"),
    ],
)
def test_a_fault_prints_as_a_compiler_would(fault, text):
    assert str(fault) == text


def test_nothing_is_raised_without_faults():
    raise_faults([])


@pytest.mark.parametrize(
    ("faults", "head"),
    [
        ([FAULT], "1 fault in 1 price table; `tokencost lint` explains the codes"),
        ([FAULT, FAULT._replace(line=9)], "2 faults in 1 price table; "),
        ([FAULT, FAULT._replace(path="b.toml")], "2 faults in 2 price tables; "),
    ],
)
def test_all_faults_are_raised_at_once(faults, head):
    with pytest.raises(tc.TableError) as caught:
        raise_faults(iter(faults))

    assert str(caught.value).startswith(head)
    assert caught.value.faults == tuple(faults)
    assert str(caught.value).splitlines()[1:] == [f"  {fault}" for fault in faults]
    assert pickle.loads(pickle.dumps(caught.value)).faults == tuple(faults)
