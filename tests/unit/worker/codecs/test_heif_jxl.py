"""The two formats that Pillow reads by plugins of others."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from PIL import Image

from imagemill_worker.codecs.file_kind import Kind, kind_of
from imagemill_worker.errors import PictureError
from imagemill_worker.picture.resize import resized
from tests.helpers.pictures import decibels, recipe

# 64 x 40, drawn: two ramps of red and green, blue is 90. No library
# that may be used here writes HEIC. Its EXIF says 6, which counts for nothing: in HEIF the file's
# own turn does (ISO/IEC 23008-12), and it has none.
HEIC = base64.b85decode(
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0005LZDn*}000000000XXk=`10000000000aA{+7000000000"
    "00000000000G-+&aV*mgE07O6l0ssL300001;s5~v00000002(_0ssI200J=p0RR9100000Bme*aIB98aW&i"
    "*H00062000$fZf0cy000000RRAKc4ILB0000LX>Mj^0ssI300IC2MR;ju000004sdC7Z2$lO00031008}IaB"
    "^?}007--aAR)(004Gqc4I>U18@KU0FVFx0000U@BsY%`1k+-4+CHT0RR|40Sp2E{{wIU00RJ!0009300RIXx"
    "&lC90096hLID8-Z~y=U0FVFx0{{R603M(qfd!W8<fgf}2xu@M00096AOHXZ03l)k0RRR>0l{;?i2wiq6Ju{|"
    "a&BX6cmM$a4FCp!0000KX>)L8000000000$0000$0000eV{Bn?0000$000010000e000010000000002|NsB"
    "!000020000GaA|mH000000|*ER0000OX>e^}0000000001009Mo0s{qv0000QX>w&|000000000EV`Ot<00I"
    "C3009610DEm@VRQfh081zVuL<C$<%IZZMWsG?C+_f-$^UQu;HE$3&iw!l9|Rsmv<RsGs-5hA?3AtWVuOAYwk"
    "9gjZO{2yVpVs>x~+!56X8#b1OP;)YybcN21R&jW&i+9O#mtY000O80Ra*K0{{R30RRR70000000"
)


def drawn() -> np.ndarray:
    ramp = Image.linear_gradient("L").resize((64, 40))
    mirrored = ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(Image.merge("RGB", (ramp, mirrored, Image.new("L", ramp.size, 90))))


def test_heic_is_read_and_turned_by_its_own_word_only() -> None:
    assert kind_of(HEIC) is Kind.HEIF
    image = resized(HEIC, recipe(mode="no"))
    assert image.shape == (40, 64, 3)
    assert decibels(image, drawn()) > 30


@pytest.mark.parametrize("kept", [30, 300, 590])
def test_half_a_heic_file_is_rejected(kept: int) -> None:
    with pytest.raises(PictureError) as caught:
        resized(HEIC[:kept], recipe())
    assert caught.value.reason in ("truncated", "corrupt")


def test_a_jpeg_xl_bomb_is_refused_by_its_declared_size() -> None:
    value, at = 0, 0
    for number, count in ((0, 1), (2, 2), (19_999, 18), (1, 3)):  # 20,000 high, as wide as high
        value |= number << at
        at += count
    with pytest.raises(PictureError) as caught:
        resized(b"\xff\x0a" + value.to_bytes(12, "little"), recipe())
    assert caught.value.reason == "too_many_pixels"


@pytest.mark.parametrize("body", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a" + bytes(9)])
def test_jpeg_xl_without_pictures_is_rejected(body: bytes) -> None:
    with pytest.raises(PictureError):
        resized(body, recipe())
