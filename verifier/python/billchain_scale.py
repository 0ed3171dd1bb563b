"""Strict reading of the notations of docs/certificates.md."""

MAX_CERTIFICATE = 1 << 20
MAX_U32 = (1 << 32) - 1


class Refused(Exception):
    """The certificate is no proof; the text is the reason."""


def require(holds, reason):
    """Refuses with the reason unless the condition holds."""
    if not holds:
        raise Refused(reason)


class Reader:
    """Reads the document's notations from the front; refuses what is cut short."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def take(self, length):
        """The next bytes."""
        require(length <= len(self.data) - self.at, f"{self.what} is cut short")
        self.at += length
        return self.data[self.at - length:self.at]

    def end(self):
        """Refuses bytes that are left."""
        require(self.at == len(self.data), f"{self.what} goes on behind its end")

    def big(self, length):
        """A number, the highest byte first."""
        return int.from_bytes(self.take(length), "big")

    def little(self, length, signed=False):
        """A number, the lowest byte first."""
        return int.from_bytes(self.take(length), "little", signed=signed)

    def hash(self):
        """A digest."""
        return self.take(32)

    def bytes(self):
        """`u16` and as many bytes."""
        return self.take(self.big(2))

    def compact(self, most=MAX_U32):
        """A compact number in its shortest form."""
        first = self.little(1)
        mode = first & 3
        if mode < 3:
            more = (1 << mode) - 1
            value = (first | self.little(more) << 8) >> 2
            least = (0, 1 << 6, 1 << 14)[mode]
        else:
            length = (first >> 2) + 4
            value = self.little(length)
            least = max(1 << 30, 1 << 8 * (length - 1))
        require(value >= least, f"{self.what}: a compact number is not in its shortest form")
        require(value <= most, f"{self.what}: a compact number is too large")
        return value

    def text(self, most=MAX_CERTIFICATE):
        """`compact` length and as many bytes."""
        return self.take(self.compact(most))

    def string(self, most=MAX_CERTIFICATE):
        """A `text` as UTF-8."""
        try:
            return self.text(most).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(f"{self.what}: a text is not UTF-8") from None

    def ascii(self, length):
        """So many characters of ASCII."""
        data = self.take(length)
        require(data.isascii(), f"{self.what}: not ASCII")
        return data.decode("ascii")

    def digits(self, length):
        """So many digits, as text."""
        data = self.take(length)
        require(all(0x30 <= byte <= 0x39 for byte in data), f"{self.what}: not digits")
        return data.decode("ascii")

    def choice(self, names):
        """One byte that stands for one of the names."""
        value = self.little(1)
        require(value < len(names), f"{self.what}: unknown number {value}")
        return names[value]

    def optional(self, read):
        """None or what `read` reads."""
        return read() if self.choice((False, True)) else None
