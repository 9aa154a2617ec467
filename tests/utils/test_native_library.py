from pathlib import Path

from sklstm._utils import native_library


def test_a_description_says_why_no_library_is_in_use(monkeypatch):
    monkeypatch.setattr(native_library, "in_use", "avx2")
    assert native_library.description() == "in C++, with avx2 instructions"
    monkeypatch.setattr(native_library, "in_use", None)
    monkeypatch.setattr(native_library, "LIBRARY", Path("nowhere"))
    assert "this installation has no library" in native_library.description()
    monkeypatch.setattr(native_library, "LIBRARY", Path(__file__))
    monkeypatch.setattr(native_library, "WISH", "0")
    assert "because SKLSTM_NATIVE=0" in native_library.description()
