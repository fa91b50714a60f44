"""Values of the contract's types for property tests, made from the types themselves."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

_TEXT = st.characters(codec="utf-8")


def values(kind: Any) -> st.SearchStrategy[Any]:
    """A strategy for every value that a type of the contract allows."""
    return _of(inspect.type_info(kind))


def _of(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata(type=inner):
            return _of(inner)
        case inspect.StrType(pattern=str(pattern)):
            # Python's \Z says what `$(?!\n)` says, and hypothesis builds texts from it at once.
            return st.from_regex(pattern.replace(r"$(?!\n)", r"\Z"))
        case inspect.StrType(min_length=least, max_length=most):
            return st.text(_TEXT, min_size=least or 0, max_size=min(most or 100, 100))
        case inspect.BytesType(min_length=least, max_length=most):
            return st.binary(min_size=least or 0, max_size=min(most or 100, 100))
        case inspect.IntType(ge=least, le=most):
            return st.integers(least, most)
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType(values=allowed):
            return st.sampled_from(allowed)
        case inspect.EnumType(cls=enum):
            return st.sampled_from(list(enum))
        case inspect.VarTupleType(item_type=item):
            return st.lists(_of(item), max_size=3).map(tuple)
        case inspect.ListType(item_type=item, min_length=least):
            return st.lists(_of(item), min_size=least or 0, max_size=3)
        case inspect.DictType(key_type=key, value_type=item, min_length=least, max_length=most):
            return st.dictionaries(_of(key), _of(item), min_size=least or 0, max_size=min(most or 3, 3))
        case inspect.AnyType():
            return st.one_of(st.none(), st.integers(0, 9), st.text(_TEXT, max_size=9))
        case inspect.UnionType(types=kinds):
            return st.one_of([_of(kind) for kind in kinds])
        case inspect.StructType(cls=struct, fields=fields):
            return st.builds(struct, **{field.name: _of(field.type) for field in fields})
        case _:
            raise LookupError(f"no values for {info}")


def json(value: Any) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)
