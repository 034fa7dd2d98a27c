"""ASCII strings without end that all have one XXH3 (64 bits, no seed).

For long inputs each stripe of 64 bytes adds, for each of eight lanes, the product of the two halves of `data ^ secret`,
and the data itself, to a sum. Two stripes of one block whose secrets agree in the bits concerned may therefore trade
bits: where the lower halves of `data ^ secret` are equal, moving a bit of the upper half from one stripe to the other
leaves both sums as they were. The secret is public (xxHash, doc/xxhash_spec.md); with a seed it is not known to whoever
writes the strings.
"""
import itertools

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b532ea371644897a20df94e3819ef46a9deacd8a8"
    "fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb17"
    "0ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
STRIPE, LANES, WORD = 64, 8, 8
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def secret(stripe, lane):
    at = stripe * WORD + lane * WORD
    return int.from_bytes(SECRET[at:at + WORD], "little")


def low_halves(x):
    """Two lower halves that differ by x and are letters and digits in both; None when there are none."""
    one, other = bytearray(), bytearray()
    for i in range(4):
        d = x >> 8 * i & 0xFF
        c = next((c for c in LETTERS if c ^ d in LETTERS), None)
        if c is None:
            return None
        one.append(c)
        other.append(c ^ d)
    return bytes(one), bytes(other)


def trades(stripes):
    """[(lane, stripe, other stripe, low halves, bits of the upper half that may be traded)], the best first."""
    found = []
    for lane in range(LANES):
        for s, t in itertools.combinations(stripes, 2):
            difference = secret(s, lane) ^ secret(t, lane)
            halves = low_halves(difference & 0xFFFFFFFF)
            # Of each byte only the lower four bits, so that it stays between 0x60 and 0x6f.
            bits = [b for b in range(32) if not difference >> 32 + b & 1 and b & 7 < 4]
            if halves and bits:
                found.append((lane, s, t, halves, bits))
    return sorted(found, key=lambda f: -len(f[4]))


def strings(count, prefix=b"", stripes=(1, 2, 3, 4, 5)):
    """So many of them; the prefix is in all, and the stripes it covers must not be among those traded between."""
    base = bytearray(b"a" * (STRIPE * (max(stripes) + 2)))
    base[:len(prefix)] = prefix
    used, places = set(), []
    for lane, s, t, (low, other), bits in trades(stripes):
        if {(s, lane), (t, lane)} & used:
            continue
        used |= {(s, lane), (t, lane)}
        a, b = s * STRIPE + lane * WORD, t * STRIPE + lane * WORD
        base[a:a + 8], base[b:b + 8] = low + b"````", other + b"oooo"
        places += [(a + 4 + bit // 8, b + 4 + bit // 8, 1 << bit % 8) for bit in bits]
    assert 1 << len(places) >= count, len(places)
    for i in range(count):
        made = bytearray(base)
        for j in range(i.bit_length()):
            if i >> j & 1:
                a, b, bit = places[j]
                made[a] |= bit
                made[b] &= ~bit
        yield bytes(made)
