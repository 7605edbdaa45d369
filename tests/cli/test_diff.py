"""`tokencost diff`."""

import tokencost as tc


def test_two_instants_of_the_shipped_tables(ok, book):
    first, second = "2025-02-01T00:00:00Z", "2026-02-01T00:00:00Z"
    written = ok("diff", "--at", first, "--at", second, "deepseek/global/*")
    ids = [name for name in book.ids if name.startswith("deepseek/global/")]
    assert written == f"{tc.diff_at(book, first, second, offerings=ids).table().text()}\n"
    row = next(line.split() for line in written.splitlines() if line.startswith("deepseek/global/deepseek-reasoner"))
    assert row == ["deepseek/global/deepseek-reasoner", "USD,", "standard", "input", "0.55", "0.28", "-49.09%"]


def test_two_instants_of_ones_own_tables(read_json, acme, edit):
    edit(("basis", "until   = 2025-06-01T00:00:00Z\nbasis"))
    made = read_json("diff", "--at", "2025-02-01T00:00:00Z", "--at", "2025-07-01T00:00:00Z", "--tables", acme)
    assert (made["added"], made["removed"], made["notes"]) == ([], ["acme/global/model"], [])


def test_two_folders(ok, read_json, acme, copied, edit):
    edit(("input = 0.55", "input = 0.5"))
    (acme / "acme/eu").mkdir()
    (copied / "acme/global/model.toml").rename(acme / "acme/eu/fresh.toml")
    (copied / "acme/global/model.toml").write_bytes((acme / "acme/eu/fresh.toml").read_bytes())
    (copied / "acme/global/gone.toml").write_bytes((acme / "acme/eu/fresh.toml").read_bytes())
    lines = ok("diff", copied, acme).splitlines()
    assert [line.split() for line in lines[3:]] == [
        ["acme/global/model", "USD,", "standard", "2025-01-20T00:00:00Z", "...", "input", "0.55", "0.5", "-9.09%"],
        ["acme/eu/fresh", "added"],
        ["acme/global/gone", "removed"],
    ]
    made = read_json("diff", copied, acme)
    assert (made["added"], made["removed"]) == (["acme/eu/fresh"], ["acme/global/gone"])
    assert [(r["offering"], r["old"], r["new"], r["percent"]) for r in made["records"] if r["what"] == "price"] == [
        ("acme/global/model", "0.55", "0.5", "-9.09")
    ]


def test_no_difference_is_said(ok, acme, copied):
    assert ok("diff", copied, acme).splitlines()[1:] == ["no price differs"]


def test_a_folder_whose_tables_do_not_hold_ends_with_1(refused, acme, copied, edit):
    edit(("output = 2.19", "output = -2.19"))
    assert "acme/global/model.toml:7: T03" in refused(1, "diff", copied, acme)


def test_a_folder_that_holds_no_tables_ends_with_1(refused, acme, tmp_path):
    (tmp_path / "empty").mkdir()
    assert refused(1, "diff", acme, tmp_path / "empty").startswith("no price tables at ")
    assert refused(1, "diff", tmp_path / "nowhere", acme).startswith("no file or folder ")


def test_a_part_of_the_tables_is_not_all_of_them(refused, acme, copied):
    assert "is a part of its tables; pass the folder of all of them, " in refused(2, "diff", copied, acme / "acme")
