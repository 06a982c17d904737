"""What an import refuses, whose fault it says it is, and what it leaves behind."""

from __future__ import annotations

import fcntl
import gzip
import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.cli import main
from sdmx_service.errors import NotFound, RequestError, StructureError
from sdmx_service.structures import ArtefactKind, StructureStore
from sdmx_service.structures.crosscheck import read_by_sdmx1
from sdmx_service.structures.fetching import content_of
from sdmx_service.structures.filing import alone
from sdmx_service.structures.importing import ImportRefused, Outcome, import_structures
from sdmx_service.structures.readers import structure_files

CLASS = "urn:sdmx:org.sdmx.infomodel."


def scheme(kind: str, id: str, version: str, **more: Any) -> dict[str, Any]:
    named = {"id": id, "agencyID": "SIS", "version": version, "name": id, "names": {"en": id}}
    return {kind: [{**named, **more}]}


def codelist(id: str, *codes: Any, version: str = "1.0", **more: Any) -> dict[str, Any]:
    items = [{"id": one} if isinstance(one, str) else one for one in codes]
    items = [{"name": "n", "names": {"en": "n"}, **one} for one in items]
    return scheme("codelists", id, version, codes=items, **more)


def concepts(*ids: str, version: str = "1.0", codes: str | None = None) -> dict[str, Any]:
    shown = {"coreRepresentation": {"enumeration": codes}} if codes else {}
    items = [{"id": one, "name": one, "names": {"en": one}, **shown} for one in ids]
    return scheme("conceptSchemes", "CS", version, concepts=items)


def structure(id: str, concept: str) -> dict[str, Any]:
    at = f"{CLASS}conceptscheme.Concept=SIS:CS(1.0).{concept}"
    named = {"id": concept, "conceptIdentity": at}
    values = {"localRepresentation": {"format": {"dataType": "String"}}}
    parts = {
        "dimensionList": {"id": "DimensionDescriptor", "dimensions": [{**named, **values}]},
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [{"id": "OBS_VALUE", "conceptIdentity": at, **values}],
        },
    }
    return scheme("dataStructures", id, "1.0", dataStructureComponents=parts)


def message(*artefacts: dict[str, Any]) -> bytes:
    meta = {
        "schema": "https://json.sdmx.org/2.1/sdmx-json-structure-schema.json",
        "id": "M",
        "prepared": "2026-11-22T00:00:00Z",
        "sender": {"id": "T"},
    }
    data: dict[str, list[Any]] = {}
    for one in artefacts:
        for name, content in one.items():
            data.setdefault(name, []).extend(content)
    return json.dumps({"meta": meta, "data": data}).encode()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A publication whose data structure uses the concept A of a scheme of two parts."""
    found = tmp_path / "dsd" / "structures"
    found.mkdir(parents=True)
    (found / "one.json").write_bytes(message(concepts("A", "B"), structure("DSD", "A")))
    return found


def names(directory: Path) -> set[str]:
    return {one.name for one in directory.iterdir()}


def test_what_takes_away_what_is_used_is_refused_and_not_what_uses_it(directory: Path) -> None:
    """Issue 4: "with a per-artefact result"; the scheme of the message is what is wrong."""
    done = import_structures(message(concepts("B"), codelist("CL_X", "A")), "m.json", directory)
    [refused] = done.refused
    assert refused.artefact.kind is ArtefactKind.CONCEPT_SCHEME
    assert "DataStructure=SIS:DSD(1.0)" in str(refused.problem)
    assert "a Concept of SIS:CS(1.0), got 'A'" in str(refused.problem)
    assert {one.outcome for one in done.artefacts} == {Outcome.CREATED, Outcome.REFUSED}
    assert names(directory) == {"one.json"}


def test_what_depends_on_what_is_refused_is_told_so(directory: Path) -> None:
    bad = codelist("CL_X", {"id": "A", "parent": "NOWHERE"}, version="1.0.0")
    urn = f"{CLASS}codelist.Codelist=SIS:CL_X(1.0.0)"
    user = concepts("C", version="2.0.0", codes=urn)
    for allowed in (False, True):
        done = import_structures(
            message(bad, user), "m.json", directory, allow_external=allowed, dry_run=True
        )
        hints = {one.artefact.id: one.problem.hint for one in done.refused if one.problem}
        assert hints == {"CL_X": None, "CS": "the message has it, but it is refused itself"}


def test_who_may_put_a_stub_somewhere_is_told_how(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = directory.parent / "m.json"
    urn = f"{CLASS}codelist.Codelist=ECB:CL_ELSEWHERE(1.0)"
    file.write_bytes(message(concepts("C", version="2.0", codes=urn), codelist("CL_X", "A")))
    arguments = ["import", str(file), "--project", str(directory.parent.parent)]
    assert main(arguments) == 3
    said = capsys.readouterr().err
    assert "--allow-external puts a stub there" in said
    assert "would be created: urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SIS:CL_X(1.0)" in said
    assert main([*arguments, "--allow-external", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert urn in said
    assert "dry run: nothing was written" in said
    assert "files: none" in said
    assert names(directory) == {"one.json"}


@pytest.mark.parametrize(
    "codes",
    [
        [{"id": "A", "parent": "A"}],
        [{"id": "A", "parent": "B"}, {"id": "B", "parent": "A"}],
        ["R", {"id": "C", "parent": "A"}, {"id": "A", "parent": "B"}, {"id": "B", "parent": "A"}],
    ],
)
def test_codes_are_a_tree(directory: Path, codes: list[Any]) -> None:
    done = import_structures(message(codelist("CL_X", *codes)), "m.json", directory)
    [refused] = done.refused
    assert refused.problem is not None
    assert "as in a tree" in str(refused.problem)
    deep = ["R", *({"id": f"C{n}", "parent": f"C{n - 1}" if n else "R"} for n in range(3_000))]
    assert not import_structures(message(codelist("CL_X", *deep)), "m.json", directory).refused


@pytest.mark.parametrize("text", ["a\x01", "\x00", "\ufffe", "\ud800"])
def test_a_text_that_xml_cannot_hold_is_refused(directory: Path, text: str) -> None:
    """XML 1.0, 2.2: Char is tab, line feed, carriage return, U+0020 to D7FF, E000 to FFFD, ..."""
    bad = codelist("CL_X", {"id": "A", "name": text, "names": {"en": text}})
    with pytest.raises(StructureError, match="characters that XML has") as caught:
        import_structures(message(bad), "m.json", directory, dry_run=True)
    str(caught.value).encode()


def test_a_name_that_no_file_can_bear_and_a_number_without_end_are_refused(
    directory: Path,
) -> None:
    for dry_run in (True, False):
        done = import_structures(
            message(codelist("C" * 250, "A")), "m.json", directory, dry_run=dry_run
        )
        assert "a file name of 255 bytes" in str(done.refused[0].problem)
    endless = message(codelist("CL_X", "A")).replace(
        b'"codes"', b'"x-n": 1%s, "codes"' % (b"0" * 5000)
    )
    with pytest.raises(StructureError, match="a number without end"):
        import_structures(endless, "m.json", directory)


@pytest.mark.parametrize("field", ["id", "agencyID", "version"])
def test_a_line_break_is_no_part_of_an_id(directory: Path, field: str) -> None:
    """ECMA 262 (JSON Schema, 6.4): without the flag m, $ matches the end of the text alone."""
    bad = codelist("CL_X", "A", version="1.0.0")
    bad["codelists"][0][field] += "\n"
    with pytest.raises(StructureError, match=f"codelists/0/{field}"):
        import_structures(message(bad), "m.json", directory)


@pytest.mark.parametrize(
    "content", [b"", b"[1, 2]", b"null", b"REF_AREA,OBS_VALUE\r\nAT,1\r\n", b"\x89PNG"]
)
def test_what_is_no_message_at_all_is_told_what_is_expected(
    directory: Path, content: bytes
) -> None:
    with pytest.raises(StructureError, match="an SDMX-ML or SDMX-JSON structure message"):
        import_structures(content, "m", directory)
    with pytest.raises(StructureError, match="an empty object"):
        import_structures(b"{}", "m", directory)


def test_another_encoding_is_named_and_the_way_out(directory: Path) -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>'
    for content in (text.encode("latin-1"), text.encode("utf-16"), "<a>\xe9</a>".encode("latin-1")):
        with pytest.raises(StructureError, match="save the file as UTF-8"):
            import_structures(content, "m.xml", directory)


@pytest.mark.parametrize(
    ("packed", "said"),
    [(b"PK\x03\x04rest", "a zip archive"), (gzip.compress(b"<a/>"), "a gzip file")],
)
def test_what_is_packed_is_named_and_the_way_out(directory: Path, packed: bytes, said: str) -> None:
    with pytest.raises(StructureError, match=f"got '{said}' .unpack it"):
        import_structures(packed, "m.zip", directory)


def test_two_imports_wait_for_each_other(directory: Path) -> None:
    """What the second reads has what the first wrote; neither is lost."""
    first, second = (message(codelist(id, "A")) for id in ("CL_1", "CL_2"))
    done = []
    held = os.open(directory.parent, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    threads = [
        threading.Thread(target=lambda one=one: done.append(import_structures(one, "m", directory)))
        for one in (first, second)
    ]
    for thread in threads:
        thread.start()
    threads[0].join(0.3)
    assert not done
    os.close(held)
    for thread in threads:
        thread.join()
    assert {file for one in done for file in one.files} == names(directory) - {"one.json"}
    assert len(names(directory)) == 3


def test_what_an_editor_saves_meanwhile_is_not_lost(directory: Path) -> None:
    with alone(directory) as held:
        (directory / "two.json").write_bytes(message(codelist("CL_E", "A")))
        with pytest.raises(StructureError, match="import again"):
            held.change((), (), dry_run=False)
    assert names(directory) == {"one.json", "two.json"}
    assert names(directory.parent) == {"structures"}


def test_a_project_without_structures_is_named(tmp_path: Path) -> None:
    with pytest.raises(StructureError, match="the structures of a publication"):
        import_structures(message(codelist("CL_X", "A")), "m", tmp_path / "no" / "structures")


def test_whatever_import_takes_check_takes(
    repository: Path, shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A flow that SDMX-ML 2.1 cannot carry, and a constraint on it that it can."""
    directory = tmp_path / "structures"
    shutil.copytree(repository / "dsd" / "structures", directory)
    sample = shared / "sdmx" / "messages" / "json21" / "structure-constructed-sample.json"
    done = import_structures(sample.read_bytes(), sample.name, directory, allow_external=True)
    assert not done.refused
    assert sum(read_by_sdmx1(structure_files(directory)).values()) > 0
    assert capfd.readouterr().err == ""


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/closed":
            return
        if self.path == "/nonsense":
            self.wfile.write(b"hello\r\n")
            return
        status = {"/missing": 404, "/later": 202}.get(self.path, 200)
        moved = {"/moved": "/found", "/loop": "/loop", "/away": "ftp://127.0.0.1/file"}
        detail = b'{"detail": "no such codelist"}'
        self.send_response(302 if self.path in moved else status)
        if self.path in moved:
            self.send_header("Location", moved[self.path])
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", "1000" if self.path == "/short" else str(len(detail)))
        self.end_headers()
        self.wfile.write(detail)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/closed", "an address that answers"),
        ("/nonsense", "an address that answers"),
        ("/sp ace", "an address that answers"),
        ("/missing", "HTTP 404.*it says: no such codelist"),
        ("/later", "HTTP 202"),
        ("/loop", "HTTP 302.*redirects to /loop"),
        ("/away", "HTTP 302.*redirects to ftp:"),
        ("/short", "30 bytes, 970 less than announced.*ended early"),
    ],
)
def test_an_address_that_does_not_answer_as_it_should_is_named(
    address: str, path: str, said: str
) -> None:
    with pytest.raises(RequestError, match=said) as caught:
        content_of(address + path)
    assert caught.value.where == address + path
    for found in ("/found", "/moved"):
        content = content_of(address.replace("http", "HTTP") + found)
        assert content == b'{"detail": "no such codelist"}'


def test_what_is_no_file_and_no_address_of_the_web_is_named(tmp_path: Path) -> None:
    for source, said in (
        ("http://[bad", "an address that answers"),
        ("file:///etc/hosts", "name a file by its path"),
        ("ftp://there/is", "http or https"),
        (str(tmp_path), "one by one"),
        ("a\0b", "a file or address"),
    ):
        with pytest.raises(RequestError, match=said):
            content_of(source)


def test_a_refusal_tells_all_artefacts_to_programs(directory: Path) -> None:
    done = import_structures(message(concepts("B"), codelist("CL_X", "A")), "m.json", directory)
    told = ImportRefused("m.json", done).as_dict()
    outcomes = {one["urn"].partition("=")[2]: one["outcome"] for one in told["artefacts"]}
    assert outcomes == {"SIS:CS(1.0)": "refused", "SIS:CL_X(1.0)": "created"}
    assert len(StructureStore.read(directory).artefacts) == 2


def test_a_stub_of_a_flow_is_not_published_here(directory: Path) -> None:
    stub = scheme("dataflows", "DF_ELSEWHERE", "1.0", isExternalReference=True)
    assert not import_structures(message(stub), "m.json", directory).refused
    store = StructureStore.read(directory)
    assert store.dataflows() == ()
    with pytest.raises(NotFound, match="kept elsewhere"):
        store.dataflow("DF_ELSEWHERE")


def test_who_asks_for_another_agency_or_version_is_told_those_there_are(directory: Path) -> None:
    store = StructureStore.read(directory)
    with pytest.raises(NotFound, match=r"did you mean SIS:DSD\(1\.0\)"):
        store.datastructure("DSD", "sis")
    with pytest.raises(NotFound, match=r"did you mean SIS:DSD\(1\.0\)"):
        store.datastructure("DSD", version="2.0.0")
    with pytest.raises(NotFound, match=r"did you mean DSD\?"):
        store.datastructure("DSDX")


def test_only_the_list_without_a_code_is_to_blame_and_not_its_neighbours(directory: Path) -> None:
    """A constraint that was there needs AT; all that its structure uses comes anew."""
    area = {"enumeration": f"{CLASS}codelist.Codelist=SIS:CL_AREA(1.0)"}
    used = structure("DSD", "A")
    [dimension] = used["dataStructures"][0]["dataStructureComponents"]["dimensionList"][
        "dimensions"
    ]
    dimension["localRepresentation"] = area
    flow = scheme(
        "dataflows", "DF", "1.0", structure=f"{CLASS}datastructure.DataStructure=SIS:DSD(1.0)"
    )
    limit = scheme(
        "dataConstraints",
        "CR",
        "1.0",
        constraintAttachment={"dataflows": [f"{CLASS}datastructure.Dataflow=SIS:DF(1.0)"]},
        cubeRegions=[{"keyValues": [{"id": "A", "values": [{"value": "AT"}]}]}],
    )
    first = message(concepts("A", "B"), codelist("CL_AREA", "AT", "NO"), used, flow, limit)
    (directory / "one.json").write_bytes(first)
    unit = {"id": "UNIT", "name": "Unit", "names": {"en": "Unit"}}
    agencies = scheme("agencySchemes", "AGENCIES", "1.0", agencies=[unit])
    anew = message(concepts("A", "B", "C"), codelist("CL_AREA", "NO"), used, agencies)
    done = import_structures(anew, "m.json", directory)
    assert [one.artefact.id for one in done.refused] == ["CL_AREA"]
    assert "a code of CL_AREA, got 'AT'" in str(done.refused[0].problem)
