"""No two places have the same bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.envelope import Context, KeyContext

# Few letters, so that fields that flow into each other would soon collide.
texts = st.text(alphabet="a\0\x01あ", max_size=3)
contexts = st.builds(
    Context,
    tenant=texts,
    program=texts,
    household=texts,
    record=texts,
    revision=st.integers(0, 3),
    schema=texts,
    kind=texts,
    key_version=st.integers(1, 3),
)
key_contexts = st.builds(
    KeyContext,
    tenant=texts,
    household=texts,
    program=texts,
    kind=texts,
    version=st.integers(1, 3),
)


@given(one=contexts, other=contexts)
def test_different_places_have_different_bytes(one: Context, other: Context) -> None:
    assert (one.encode() == other.encode()) == (one == other)


@given(one=key_contexts, other=key_contexts)
def test_different_owners_of_keys_have_different_bytes(one: KeyContext, other: KeyContext) -> None:
    assert (one.encode() == other.encode()) == (one == other)


def test_a_field_does_not_flow_into_the_next() -> None:
    one = KeyContext(tenant="ab", household="c", program="", kind="")
    other = KeyContext(tenant="a", household="bc", program="", kind="")
    assert one.encode() != other.encode()
    assert b"".join(vars_of(one)) == b"".join(vars_of(other))  # control: joined they are equal


def vars_of(context: KeyContext) -> list[bytes]:
    fields = (context.tenant, context.household, context.program, context.kind)
    return [field.encode() for field in fields]


@given(one=contexts, other=key_contexts)
def test_a_record_is_never_a_key(one: Context, other: KeyContext) -> None:
    assert one.encode() != other.encode()


def test_the_bytes_stay_as_they_are_for_ever() -> None:
    """What was sealed last year must open: this is the format on disk, not an implementation."""
    context = Context(
        tenant="t", program="p", household="h", record="r", revision=258, schema="s", kind="あ"
    )
    assert context.encode() == (
        b"visitsync/record/1\0"
        b"\0\0\0\1t\0\0\0\1p\0\0\0\1h\0\0\0\1r\0\0\0\0\0\0\1\2\0\0\0\1s\0\0\0\3\xe3\x81\x82"
    )
    assert KeyContext(tenant="t", household="h", program="p", kind="k").encode() == (
        b"visitsync/data-key/1\0\0\0\0\1t\0\0\0\1h\0\0\0\1p\0\0\0\1k"
    )


@pytest.mark.parametrize("revision", [-1, 2**64])
def test_a_revision_out_of_range_is_refused(revision: int) -> None:
    context = Context(
        tenant="t", program="p", household="h", record="r", revision=revision, schema="s", kind="k"
    )
    with pytest.raises(OverflowError):
        context.encode()
