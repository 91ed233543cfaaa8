"""Read a pickle of arrays, lists, tables, words and numbers, and execute nothing.

A pickle is a program for a small stack machine. Two of its instructions call functions of Python by name, which is
how it can do harm. Here is a machine of our own that knows the instructions for plain values only. The names that it
knows are few, and none is a function: they mark descriptions of numpy arrays, which `pickled_array` checks before
numpy sees them, and TensorFlow's `ListWrapper`, which is a list. Any other name, and any other instruction, ends the
reading.

A pickle has no checksum. A damaged one that still reads is a network of other numbers: only sizes that do not fit,
and values that are not finite, can be noticed. The zip archives of numpy (.npz) have a checksum.
"""

import pickletools
import struct
import warnings
from enum import Enum
from typing import Any

import numpy as np

from alfonsine.emulator.imported.pickled_array import PickledArray, PickledType, plain_array
from alfonsine.errors import InputError

MOST_STEPS = 500_000  # instructions; a network has a few hundred
MOST_VALUES = 500_000
DEEPEST = 12  # lists within lists


class Name(Enum):
    """What a pickle may name."""

    ARRAY = "ndarray"
    TYPE = "dtype"
    NEW_ARRAY = "_reconstruct"
    NUMBER = "scalar"
    FROM_BYTES = "_frombuffer"
    LIST = "ListWrapper"


_NUMPY = [
    (f"numpy.{core}.{module}", name)
    for core in ("core", "_core")
    for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
]
_TENSORFLOW = [
    (f"tensorflow.python.{place}.data_structures", "ListWrapper") for place in ("training.tracking", "trackable")
]
KNOWN = {
    (module, name): Name(name) for module, name in [("numpy", "ndarray"), ("numpy", "dtype"), *_NUMPY, *_TENSORFLOW]
}

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_ARGUMENTS = {
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_pickle(stream: bytes, where: str, *, wrapped: bool = False) -> Any:
    """Plain values: None, truth values, numbers, words, bytes, lists, tuples, tables, arrays of numbers.

    where    name of the file, for messages
    wrapped  one value inside an array of objects without axes, as numpy's own files hold a table

    InputError, in one line, for everything else.
    """
    machine = _Machine(where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in words that are refused in the end
            found = machine.run(stream)
        return _Plain(where).of(found, wrapped)
    except InputError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error, RecursionError, MemoryError):
        raise damaged(where) from None


def damaged(where: str, why: str = "it does not read as a pickle") -> InputError:
    """The one line for a file that cannot be used."""
    return InputError(f"expected a whole network in '{where}', got a damaged or foreign file ({why}); fetch it again")


class _Machine:
    """Stack, memory, and the instructions that are known."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def run(self, stream: bytes) -> Any:
        for step, (instruction, argument, _) in enumerate(pickletools.genops(stream)):
            if step > MOST_STEPS:
                raise damaged(self.where, f"more than {MOST_STEPS} instructions")
            if instruction.name == "STOP":
                (value,) = self.stack
                return value
            self.do(instruction.name, argument)
        raise damaged(self.where)

    def do(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _ARGUMENTS:
            stack.append(argument)
        elif name in _TUPLES:
            self.put(tuple(self.take(_TUPLES[name])))
        elif name in ("PROTO", "FRAME"):
            pass
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "TUPLE":
            self.put(tuple(self.since_mark()))
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name in ("APPEND", "APPENDS"):
            items = self.take(1) if name == "APPEND" else self.since_mark()
            self.top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            self.set_items(self.take(2) if name == "SETITEM" else self.since_mark())
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memory[argument] = self.top(object)
        elif name == "MEMOIZE":
            self.memory[len(self.memory)] = self.top(object)
        elif name in ("BINGET", "LONG_BINGET"):
            self.put(self.memory[argument])
        elif name == "GLOBAL":
            module, _, asked = argument.partition(" ")
            self.put(self.known(module, asked))
        elif name == "STACK_GLOBAL":
            self.put(self.known(*self.take(2)))
        elif name == "REDUCE":
            self.put(self.described(*self.take(2)))
        elif name == "BUILD":
            (state,) = self.take(1)
            self.fill(self.top(object), state)
        else:
            raise InputError(
                f"expected plain arrays in '{self.where}', got a pickle with the instruction {name}; refused unread"
            )

    def put(self, value: Any) -> None:
        self.stack.append(value)

    def top(self, kind: type) -> Any:
        value = self.stack[-1]
        if value is _MARK or not isinstance(value, kind):
            raise ValueError
        return value

    def take(self, number: int) -> list[Any]:
        if number == 0:
            return []
        if len(self.stack) < number:
            raise IndexError
        taken = self.stack[-number:]
        if any(value is _MARK for value in taken):
            raise ValueError
        del self.stack[-number:]
        return taken

    def since_mark(self) -> list[Any]:
        for start in range(len(self.stack) - 1, -1, -1):
            if self.stack[start] is _MARK:
                taken = self.stack[start + 1 :]
                del self.stack[start:]
                return taken
        raise ValueError

    def set_items(self, items: list[Any]) -> None:
        table = self.top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise damaged(self.where, "a key that is not a word")
            table[key] = value

    def known(self, module: Any, name: Any) -> Name:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ValueError
        if (module, name) not in KNOWN:
            raise InputError(
                f"expected plain arrays in '{self.where}', got a pickle that asks for "
                f"{f'{module}.{name}'!a:.100}; nothing of it was executed: do not load it elsewhere in good faith"
            )
        return KNOWN[module, name]

    def described(self, asked: Any, given: Any) -> Any:
        """The value that a call would have made, from its arguments."""
        match asked, given:
            case Name.NEW_ARRAY, (Name.ARRAY, tuple(), bytes() | str()):
                return PickledArray()
            case Name.TYPE, (str(code), *_):
                return PickledType(code)
            case Name.NUMBER, (PickledType() as kind, bytes(content)):
                return PickledArray(kind, (), False, content)
            case Name.FROM_BYTES, (
                bytes() | bytearray() as content,
                PickledType() as kind,
                tuple(shape),
                "C" | "F" as by,
            ):
                return PickledArray(kind, shape, by == "F", content)
            case Name.LIST, (list() as items,):
                return items
        raise InputError(
            f"expected plain arrays in '{self.where}', got a pickle that calls "
            f"{getattr(asked, 'value', 'a value')} in an unusual way; refused unread"
        )

    def fill(self, made: Any, state: Any) -> None:
        match made, state:
            case PickledType(), (3 | 4, str(order), None, None, None, int(), int(), int(), *_):
                made.order = order
            case PickledArray(kind=None), (1, shape, PickledType() as kind, bool(by_columns), content):
                made.kind, made.shape, made.by_columns, made.content = kind, shape, by_columns, content
            case _:
                raise InputError(
                    f"expected plain arrays in '{self.where}', got a pickle that sets the state of "
                    f"{type(made).__name__} in an unusual way; refused unread"
                )


class _Plain:
    """From what the machine leaves to plain values, every array checked, with an end to loops and repetition."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.left = MOST_VALUES
        self.arrays: dict[int, np.ndarray] = {}

    def of(self, value: Any, wrapped: bool = False) -> Any:
        if wrapped:
            match value:
                case PickledArray(of_objects=True, shape=(), content=[inside]):
                    value = inside
                case _:
                    raise damaged(self.where, "it holds no table")
        return self.plain(value, 0)

    def plain(self, value: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            raise damaged(self.where, "lists within lists without end")
        match value:
            case None | bool() | int() | float() | str() | bytes():
                return value
            case list():
                return [self.plain(item, depth + 1) for item in value]
            case tuple():
                return tuple(self.plain(item, depth + 1) for item in value)
            case dict():
                return {key: self.plain(item, depth + 1) for key, item in value.items()}
            case PickledArray(kind=PickledType()):
                if id(value) not in self.arrays:
                    kind = value.kind
                    found = plain_array(kind.code, kind.order, value.shape, value.by_columns, value.content, self.where)
                    self.arrays[id(value)] = found
                return self.arrays[id(value)]
        raise damaged(self.where, "a name where a value belongs")
