"""Protocol buffers as bytes: the few parts of the format that ONNX's files need, read and written."""

from collections.abc import Iterator, Mapping

Content = bytes | memoryview
Value = int | Content
Message = Mapping[int, list[Value]]  # what each numbered field holds

_VARINT, _BYTES = 0, 2
_SIZES = {1: 8, 5: 4}  # of the kinds that are numbers of one size


def message(content: Content) -> Message:
    """Read the fields of a message. Raises ValueError or IndexError where it is damaged."""
    found: dict[int, list[Value]] = {}
    for number, value in fields(content):
        found.setdefault(number, []).append(value)
    return found


def fields(content: Content) -> Iterator[tuple[int, Value]]:
    """Read the numbers and values of a message's fields, in order. Raises as `message` does."""
    content, at = memoryview(content), 0
    while at < len(content):
        key, at = _varint(content, at)
        kind = key & 7
        value: Value
        if kind == _VARINT:
            value, at = _varint(content, at)
        else:
            size = _SIZES.get(kind)
            if kind == _BYTES:
                size, at = _varint(content, at)
            if size is None or at + size > len(content):
                raise ValueError("it is damaged")
            value = content[at : at + size]
            at += size
        yield key >> 3, value


def parts(of: Message, field: int) -> list[Message]:
    """Read the messages in a field."""
    return [message(value) for value in of.get(field, ()) if not isinstance(value, int)]


def text(of: Message, field: int) -> str:
    """Read the text in a field, of several the last."""
    return (texts(of, field) or [""])[-1]


def texts(of: Message, field: int) -> list[str]:
    """Read all texts in a field."""
    return ["" if isinstance(value, int) else bytes(value).decode() for value in of.get(field, ())]


def numbers(of: Message, field: int) -> list[int]:
    """Read whole numbers, one after another or packed."""
    found: list[int] = []
    for value in of.get(field, ()):
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            found.append(number)
    return found


def written(number: int, value: Value | str) -> bytes:
    """Write one field: a whole number that is not negative, a text, or bytes, which a message is too."""
    if isinstance(value, int):
        return _as_varint(number << 3 | _VARINT) + _as_varint(value)
    content = value.encode() if isinstance(value, str) else bytes(value)
    return _as_varint(number << 3 | _BYTES) + _as_varint(len(content)) + content


def _varint(content: Content, at: int) -> tuple[int, int]:
    value = content[at]
    if value < 128:  # nearly all
        return value, at + 1
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("it is damaged")


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
