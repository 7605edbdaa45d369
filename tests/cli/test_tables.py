"""`tokencost lint`, `fmt` and `stale`."""

import json
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from strategies import OFFERING
from tokencost.cli.output import tracked, write_beside
from tokencost.tariffs.fault import CODES

MISSPELT = ('source  = "page"', 'source  = "pgae"')
SAID = "acme/global/model.toml:4: T09 version 2025-01-20: source 'pgae' is not in sources.toml; did you mean 'page'?"


# --- lint


def test_sound_tables_say_so_on_standard_error(call, acme):
    result = call("lint", acme)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no faults in 4 files\n")


def test_a_fault_is_a_line_and_an_exit_code(call, acme, edit, monkeypatch):
    edit(MISSPELT)
    monkeypatch.chdir(acme.parent)
    result = call("lint", "acme_tables")
    assert result.exit_code == 1
    assert result.stdout == f"acme_tables/{SAID}\n"
    assert result.stderr == "1 fault in 4 files; `tokencost lint --codes` explains the codes\n"


def test_a_path_elsewhere_is_named_in_full(call, acme, edit, monkeypatch, tmp_path):
    edit(MISSPELT)
    monkeypatch.chdir(Path(tmp_path.root))
    monkeypatch.setattr(Path, "cwd", lambda: tmp_path / "somewhere")
    assert call("lint", acme).stdout == (f"{acme.resolve().as_posix()}/{SAID}\n")


@pytest.mark.parametrize("path", ["acme", "acme/global", "acme/global/model.toml", "calendars", "calendars/days-off.toml", "."])
def test_any_part_of_the_tables_can_be_checked(call, acme, path):
    assert call("lint", acme / path).exit_code == 0


def test_several_paths_are_one_answer(call, acme, edit):
    edit(MISSPELT)
    result = call("lint", acme / "acme/global/model.toml", acme, acme / "calendars")
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr.startswith("1 fault in 4 files;")


def test_json_faults(call, acme, edit):
    edit(MISSPELT)
    result = call("lint", acme, "--json")
    (fault,) = json.loads(result.stdout)
    assert (fault["code"], fault["line"], fault["where"]) == ("T09", 4, "version 2025-01-20")
    assert (result.exit_code, json.loads(call("lint", acme / "calendars", "--json").stdout)) == (1, [])


def test_the_codes_are_explained(ok, read_json):
    lines = ok("lint", "--codes").splitlines()
    assert [line.split(maxsplit=1) for line in lines[2:]] == [[code, text] for code, text in CODES.items()]
    assert read_json("lint", "--codes") == CODES


def test_with_faults_only_their_codes_are_explained(call, acme, edit):
    edit(MISSPELT)
    written = call("lint", acme, "--codes").stdout
    assert written.splitlines()[-1].split(maxsplit=1) == ["T09", CODES["T09"]]
    assert "T03" not in written
    assert call("lint", acme / "calendars", "--codes").stdout == ""


def test_staleness_is_measured_from_a_day_that_is_given(call, acme):
    assert call("lint", acme, "--on", "2026-06-30").exit_code == 0
    result = call("lint", acme, "--on", "2026-07-01")
    assert result.exit_code == 1
    assert "T20 last checked on 2026-01-01, more than 180 days before 2026-07-01" in result.stdout


def test_the_past_is_held_against_an_older_copy(call, acme, copied, edit):
    edit(("input = 0.55", "input = 0.5"))
    assert call("lint", acme).exit_code == 0
    result = call("lint", acme, "--base", copied)
    assert result.exit_code == 1
    assert "T18 version 2025-01-20: input from 2025-01-20T00:00:00Z (USD, standard) was 0.55 and is 0.5" in result.stdout
    edit(("input = 0.55", "input = 0.5"), ("checked = 2026-01-01", 'checked = 2026-01-01\ncorrection = "the page was misread"'))
    call("fmt", acme)
    assert call("lint", acme, "--base", copied).exit_code == 0


def test_a_folder_in_place_of_an_older_copy_that_holds_no_tables(refused, acme, tmp_path):
    assert refused(1, "lint", acme, "--base", tmp_path).startswith("no price tables at ")


def test_a_file_that_is_no_text_is_a_fault(call, acme):
    (acme / "acme/global/model.toml").write_bytes(b'title = "\xff"\n')
    result = call("lint", acme)
    assert result.exit_code == 1
    assert "model.toml:1: T21" in result.stdout


def test_a_file_that_cannot_be_opened_is_a_fault(call, acme, monkeypatch):
    read = Path.read_bytes

    def refuse(path):
        if path.name == "model.toml":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = call("lint", acme)
    assert result.exit_code == 1
    assert "model.toml: T21 cannot be read: permission denied" in result.stdout


def test_codes_are_coloured_on_a_terminal_only(call, acme, edit):
    edit(MISSPELT)
    assert "\x1b[33m T09\x1b[0m" in call("lint", acme, color=True).stdout
    assert "\x1b" not in call("lint", acme).stdout


# --- fmt


UNTIDY = OFFERING.replace("from    = 2025-01-20T00:00:00Z", "from = 2025-01-20T08:00:00+08:00").replace("0.55", "0.550")


def test_a_table_is_written_in_canonical_form(call, acme, monkeypatch):
    table = acme / "acme/global/model.toml"
    table.write_text(f"# the head stays\n\n{UNTIDY}", encoding="utf-8")
    monkeypatch.chdir(acme)
    result = call("fmt", ".")
    assert (result.exit_code, result.stdout) == (0, "rewrote acme/global/model.toml\n")
    assert result.stderr == "4 files: 1 rewritten, 3 in canonical form\n"
    assert table.read_text(encoding="utf-8") == f"# the head stays\n\n{OFFERING}"
    assert call("fmt", ".").stderr == "4 files: 0 rewritten, 4 in canonical form\n"


def test_check_writes_nothing_and_ends_with_1(call, acme, monkeypatch):
    table = acme / "acme/global/model.toml"
    table.write_text(UNTIDY, encoding="utf-8")
    monkeypatch.chdir(acme)
    result = call("fmt", "--check", ".")
    assert (result.exit_code, result.stdout) == (1, "would rewrite acme/global/model.toml\n")
    assert result.stderr == "4 files: 1 to rewrite, 3 in canonical form\n"
    assert table.read_text(encoding="utf-8") == UNTIDY


def test_what_would_be_lost_is_left_alone_and_named(call, acme):
    table = acme / "acme/global/model.toml"
    commented = UNTIDY.replace("[[version]]", "[[version]] # first seen here")
    table.write_text(commented, encoding="utf-8")
    (acme / "acme/global/other.toml").write_text(UNTIDY, encoding="utf-8")
    result = call("fmt", acme)
    assert result.exit_code == 1
    assert "model.toml:1: T19 this comment would be lost; say it in a note\n" in result.stderr
    assert result.stderr.endswith("5 files: 1 rewritten, 3 in canonical form, 1 left alone\n")
    assert table.read_text(encoding="utf-8") == commented
    assert (acme / "acme/global/other.toml").read_text(encoding="utf-8") == OFFERING


def test_a_number_sign_in_a_text_is_no_comment(call, acme):
    (acme / "acme/global/model.toml").write_text(
        UNTIDY.replace("source  =", 'note = "issue #7, see https://example.org/#top"\nsource ='), "utf-8"
    )
    assert call("fmt", acme).exit_code == 0
    assert call("lint", acme).exit_code == 0


def test_a_table_that_does_not_hold_is_left_alone(call, acme):
    (acme / "acme/global/model.toml").write_text("[[version]\n", encoding="utf-8")
    result = call("fmt", acme)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "model.toml:1: T21 not TOML" in result.stderr


def test_line_ends_of_a_checkout_are_no_part_of_the_form(call, acme):
    table = acme / "acme/global/model.toml"
    table.write_bytes(OFFERING.replace("\n", "\r\n").encode())
    assert call("fmt", "--check", acme).exit_code == 0
    assert call("lint", acme).exit_code == 0


def test_calendars_and_claims_are_left_as_they_stand(call, acme):
    calendar = acme / "calendars/days-off.toml"
    calendar.write_text(calendar.read_text(encoding="utf-8").replace("name     =", "name ="), encoding="utf-8")
    (acme / "claims.toml").write_text("# none yet\n", encoding="utf-8")
    assert call("fmt", "--check", acme).exit_code == 0


def test_the_shipped_tables_are_in_canonical_form(call, tables):
    assert call("fmt", "--check", tables / "deepseek").exit_code == 0


# --- writing beside and moving in place


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    write_beside(path, "new\n")
    assert (path.read_bytes(), [file.name for file in tmp_path.iterdir()]) == (b"new\n", ["x.toml"])
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        write_beside(path, "\udcff")
    assert (path.read_text(encoding="utf-8"), [file.name for file in tmp_path.iterdir()]) == ("old", ["x.toml"])


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_is_followed_and_stays_a_link(call, acme, tmp_path):
    table = acme / "acme/global/model.toml"
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(UNTIDY, encoding="utf-8")
    table.unlink()
    table.symlink_to(elsewhere)
    call("fmt", acme)
    assert table.is_symlink()
    assert elsewhere.read_text(encoding="utf-8") == OFFERING


@pytest.mark.parametrize(("count", "terminal", "bar"), [(500, True, True), (500, False, False), (5, True, False)])
def test_a_bar_is_for_terminals_and_many_files(monkeypatch, capsys, count, terminal, bar):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    items = list(range(count))
    assert list(tracked(items, what="counting")) == items
    captured = capsys.readouterr()
    assert ("counting" in captured.err, captured.out) == (bar, "")


# --- stale


def test_the_oldest_check_comes_first(read_json, acme):
    (acme / "acme/global/older.toml").write_text(OFFERING.replace("checked = 2026-01-01", "checked = 2025-11-01"), encoding="utf-8")
    made = read_json("stale", "--tables", acme, "--on", "2026-06-01")
    assert (made["on"], made["days"]) == ("2026-06-01", 90)
    page = "https://example.org/pricing"
    assert made["stale"] == [
        {"offering": "acme/global/older", "checked": "2025-11-01", "days": 212, "source": page},
        {"offering": "acme/global/model", "checked": "2026-01-01", "days": 151, "source": page},
    ]


def test_the_table_of_stale_prices(ok, acme):
    assert [line.split() for line in ok("stale", "--tables", acme, "--on", "2026-06-01").splitlines()[::2]] == [
        ["offering", "checked", "days", "source"],
        ["acme/global/model", "2026-01-01", "151", "https://example.org/pricing"],
    ]
    assert ok("stale", "--tables", acme, "--on", "2026-04-01") == "0 tables last checked more than 90 days before 2026-04-01\n"


@pytest.mark.parametrize(("days", "count"), [(150, 1), (151, 0), (0, 1)])
def test_the_limit_in_days(read_json, acme, days, count):
    assert len(read_json("stale", "--tables", acme, "--on", "2026-06-01", "--days", days)["stale"]) == count


def test_a_retired_offering_is_never_stale(read_json, acme, edit):
    edit(("basis", "until   = 2025-06-01T00:00:00Z\nbasis"))
    assert read_json("stale", "--tables", acme, "--on", "2026-12-01")["stale"] == []


def test_without_a_day_today_is_taken_and_said(ok, acme):
    assert ok("stale", "--tables", acme).endswith(f"before {datetime.now(UTC).date()}, today\n")


def test_stale_is_narrowed_by_a_pattern(read_json):
    names = {
        entry["offering"].split("/")[0] for entry in read_json("stale", "deepseek/global", "--days", "0", "--on", "2027-06-01")["stale"]
    }
    assert names == {"deepseek"}
