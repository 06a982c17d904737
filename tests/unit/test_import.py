"""What an office imports: each artefact is taken, kept as it is, or refused with a reason."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.cli import main
from sdmx_service.errors import RequestError, StructureError
from sdmx_service.structures import Artefact, ArtefactKind, StructureStore
from sdmx_service.structures.fetching import content_of
from sdmx_service.structures.importing import Outcome, import_structures
from sdmx_service.structures.jsonmessages import JsonVersion
from sdmx_service.structures.jsonwriting import json_message
from sdmx_service.structures.messages import MlVersion
from sdmx_service.structures.readers import read_artefacts
from sdmx_service.structures.writing_ml import structure_message

PREPARED = datetime(2026, 11, 22, tzinfo=UTC)
CL = "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SIS:{}({})"
CONCEPT = "urn:sdmx:org.sdmx.infomodel.conceptscheme.ConceptScheme=SIS:CS({})"


def codelist(id: str, *codes: str, version: str = "1.0.0", **more: Any) -> Artefact:
    content = {
        "id": id,
        "agencyID": "SIS",
        "version": version,
        "names": {"en": id},
        "codes": [{"id": code, "names": {"en": code}} for code in codes],
        **more,
    }
    return Artefact(ArtefactKind.CODELIST, content)


def concepts(codes: str, version: str = "1.0.0") -> Artefact:
    concept = {
        "id": "C",
        "names": {"en": "C"},
        "coreRepresentation": {"enumeration": codes},
    }
    content = {
        "id": "CS",
        "agencyID": "SIS",
        "version": version,
        "names": {"en": "CS"},
        "concepts": [concept],
    }
    return Artefact(ArtefactKind.CONCEPT_SCHEME, content)


def message(*artefacts: Artefact) -> bytes:
    return json_message(artefacts, prepared=PREPARED, sender="T", version=JsonVersion.JSON20)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A publication with two codelists in one file: a stable one and one of two parts."""
    found = tmp_path / "dsd" / "structures"
    found.mkdir(parents=True)
    lists = [codelist("CL_A", "A"), codelist("CL_B", "A", version="1.0"), codelist("CL_C", "A")]
    content = structure_message(lists, prepared=PREPARED, sender="T", version=MlVersion.ML30)
    (found / "lists.xml").write_bytes(
        content.replace(b"<str:Codelists>", b"<str:Codelists><!--k-->")
    )
    return found


def outcomes(directory: Path, *artefacts: Artefact, **options: Any) -> dict[str, Outcome]:
    done = import_structures(message(*artefacts), "m.json", directory, **options)
    return {one.artefact.id: one.outcome for one in done.artefacts}


def files(directory: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in directory.iterdir()}


def test_what_is_new_is_created_and_what_is_the_same_is_left_alone(directory: Path) -> None:
    found = outcomes(directory, codelist("CL_NEW", "X"), codelist("CL_A", "A"))
    assert found == {"CL_NEW": Outcome.CREATED, "CL_A": Outcome.UNCHANGED}
    assert "Codelist-SIS-CL_NEW-1.0.0.xml" in files(directory)
    assert [code.id for code in StructureStore.read(directory).codelist("CL_NEW").codes] == ["X"]
    assert outcomes(directory, codelist("CL_NEW", "X")) == {"CL_NEW": Outcome.UNCHANGED}


def test_a_version_of_two_parts_is_replaced_and_its_neighbours_stay_as_written(
    directory: Path,
) -> None:
    assert outcomes(directory, codelist("CL_B", "A", "B", version="1.0")) == {
        "CL_B": Outcome.UPDATED
    }
    left = files(directory)["lists.xml"]
    assert b"CL_B" not in left
    assert b"CL_A" in left
    assert b"<!--k-->" in left
    assert len(StructureStore.read(directory).codelist("CL_B").codes) == 2
    # The second time it stands in a file of its own, which goes.
    outcomes(directory, codelist("CL_B", "Z", version="1.0"))
    assert [code.id for code in StructureStore.read(directory).codelist("CL_B").codes] == ["Z"]


def test_a_stable_version_never_changes_and_a_draft_may(directory: Path) -> None:
    before = files(directory)
    done = import_structures(message(codelist("CL_A", "B")), "m.json", directory)
    [refused] = done.refused
    assert "this version is stable" in str(refused.problem)
    assert "x.y.z-draft" in str(refused.problem)
    assert files(directory) == before
    for codes in ("A", "B"):
        outcomes(directory, codelist("CL_A", codes, version="1.1.0-draft"))
    found = StructureStore.read(directory).codelist("CL_A", version="1.1.0-draft")
    assert [code.id for code in found.codes] == ["B"]


def test_references_lead_to_the_message_or_to_what_is_there(directory: Path) -> None:
    inside = outcomes(directory, concepts(CL.format("CL_N", "1.0.0")), codelist("CL_N", "X"))
    assert set(inside.values()) == {Outcome.CREATED}
    there = outcomes(directory, concepts(CL.format("CL_A", "1.0.0"), version="2.0.0"))
    assert there == {"CS": Outcome.CREATED}


def test_a_reference_to_nothing_is_refused_and_so_is_who_depends_on_it(directory: Path) -> None:
    before = files(directory)
    lost = concepts(CL.format("CL_NONE", "1.0.0"))
    mapped = Artefact(
        ArtefactKind.CONCEPT_SCHEME_MAP,
        {
            "id": "MAP",
            "agencyID": "SIS",
            "version": "1.0.0",
            "names": {"en": "MAP"},
            "source": CONCEPT.format("1.0.0"),
            "target": CONCEPT.format("1.0.0"),
        },
    )
    done = import_structures(message(mapped, lost, codelist("CL_OK", "X")), "m.json", directory)
    assert {one.artefact.id for one in done.refused} == {"MAP", "CS"}
    assert "CL_NONE" in str(done.refused[0].problem) + str(done.refused[1].problem)
    assert files(directory) == before


def test_stubs_stand_for_what_is_kept_elsewhere_where_one_allows_it(directory: Path) -> None:
    done = import_structures(
        message(concepts(CL.format("CL_NONE", "1.0.0"))), "m.json", directory, allow_external=True
    )
    assert done.stubs == (CL.format("CL_NONE", "1.0.0"),)
    [stub] = StructureStore.read(directory).find(ArtefactKind.CODELIST, "SIS", "CL_NONE")
    assert stub.external
    # The whole list takes the place of its stub later: a stub has nothing that could change.
    assert outcomes(directory, codelist("CL_NONE", "X")) == {"CL_NONE": Outcome.UPDATED}


def test_a_stable_artefact_may_not_lean_on_a_draft(directory: Path) -> None:
    draft = codelist("CL_D", "X", version="1.0.0-draft")
    done = import_structures(
        message(concepts(CL.format("CL_D", "1.0.0-draft")), draft), "m.json", directory
    )
    assert "a reference to the draft" in str(done.refused[0].problem)


def test_a_stub_does_not_take_the_place_of_the_whole(directory: Path) -> None:
    stub = codelist("CL_B", "A", version="1.0", isExternalReference=True)
    done = import_structures(message(stub), "m.json", directory)
    assert "the whole artefact" in str(done.refused[0].problem)


def codes_of(directory: Path, id: str) -> tuple[list[str], bool]:
    [found] = StructureStore.read(directory).find(ArtefactKind.CODELIST, "SIS", id)
    return [one["id"] for one in found.content["codes"]], bool(found.content.get("isPartial"))


@pytest.mark.parametrize("version", ["1.0.0", "1.0", "1.0.0-draft"])
def test_parts_of_a_list_are_put_together_until_the_whole_comes(
    directory: Path, version: str
) -> None:
    def part(*codes: str) -> Artefact:
        return codelist("CL_P", *codes, version=version, isPartial=True)

    assert outcomes(directory, part("A", "B")) == {"CL_P": Outcome.CREATED}
    assert outcomes(directory, part("B", "C")) == {"CL_P": Outcome.UPDATED}
    assert codes_of(directory, "CL_P") == (["A", "B", "C"], True)
    assert outcomes(directory, part("C")) == {"CL_P": Outcome.UNCHANGED}
    whole = codelist("CL_P", "Z", "C", "B", "A", version=version)
    assert outcomes(directory, whole) == {"CL_P": Outcome.UPDATED}
    assert codes_of(directory, "CL_P") == (["Z", "C", "B", "A"], False)
    # A part of the whole says nothing new.
    assert outcomes(directory, part("B")) == {"CL_P": Outcome.UNCHANGED}


def test_a_part_may_not_change_a_stable_version(directory: Path) -> None:
    named = codelist("CL_A", "A", isPartial=True)
    named.content["codes"][0]["names"]["en"] = "other words"
    before = files(directory)
    for wrong in (named, codelist("CL_A", "X", isPartial=True)):
        done = import_structures(message(wrong), "m.json", directory)
        assert "this version is stable" in str(done.refused[0].problem)
    outcomes(directory, codelist("CL_P", "A", "B", isPartial=True))
    done = import_structures(message(codelist("CL_P", "A")), "m.json", directory)
    assert "another B" in str(done.refused[0].problem)  # the whole lacks what a part of it had
    assert {name: text for name, text in files(directory).items() if name in before} == before


def test_a_part_of_a_draft_changes_what_it_tells_and_leaves_the_rest(directory: Path) -> None:
    named = codelist("CL_B", "A", "B", version="1.0", isPartial=True)
    named.content["codes"][0]["names"]["en"] = "other words"
    assert outcomes(directory, named) == {"CL_B": Outcome.UPDATED}
    [found] = StructureStore.read(directory).find(ArtefactKind.CODELIST, "SIS", "CL_B")
    names = {one["id"]: one["names"]["en"] for one in found.content["codes"]}
    assert names == {"A": "other words", "B": "B"}
    assert "isPartial" not in found.content


def test_parts_of_a_tree_are_joined_branch_by_branch(directory: Path) -> None:
    def tree(*paths: str) -> Artefact:
        top: list[dict[str, Any]] = []
        for path in paths:
            level = top
            for id in path.split("."):
                found = next((one for one in level if one["id"] == id), None)
                if found is None:
                    found = {"id": id, "names": {"en": id}}
                    level.append(found)
                level = found.setdefault("categories", [])
        content = {"id": "CS", "agencyID": "SIS", "version": "1.0.0", "names": {"en": "CS"}}
        categories = json.loads(json.dumps(top).replace(', "categories": []', ""))
        more = {"isPartial": True, "categories": categories}
        return Artefact(ArtefactKind.CATEGORY_SCHEME, {**content, **more})

    outcomes(directory, tree("A.A1", "B"))
    assert outcomes(directory, tree("A.A2.X", "B.B1")) == {"CS": Outcome.UPDATED}
    [found] = StructureStore.read(directory).find(ArtefactKind.CATEGORY_SCHEME)
    assert found.content == tree("A.A1", "A.A2.X", "B.B1").content


def test_what_2_1_calls_final_stays_final(directory: Path) -> None:
    final = codelist("CL_F", "A", version="2.1", isFinal=True)
    written = structure_message([final], prepared=PREPARED, sender="T", version=MlVersion.ML21)
    for outcome in (Outcome.CREATED, Outcome.UNCHANGED):
        done = import_structures(written, "m.xml", directory)
        assert [one.outcome for one in done.artefacts] == [outcome]
    done = import_structures(
        message(codelist("CL_F", "A", "B", version="2.1")), "m.json", directory
    )
    assert "this version is stable" in str(done.refused[0].problem)


def test_a_dry_run_says_the_same_and_writes_nothing(directory: Path) -> None:
    before = files(directory)
    assert outcomes(directory, codelist("CL_NEW", "X"), dry_run=True) == {"CL_NEW": Outcome.CREATED}
    assert files(directory) == before


def test_a_crash_while_writing_leaves_what_was_there(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(directory)
    rename = Path.rename

    def crash(self: Path, target: Path) -> Path:
        if self.name.startswith(".structures-") and not self.name.endswith("before"):
            raise OSError("no space left")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(StructureError, match=r"no space left.*nothing was written"):
        outcomes(directory, codelist("CL_NEW", "X"))
    assert files(directory) == before
    assert [one.name for one in directory.parent.iterdir()] == ["structures"]


def test_the_command_answers_people_and_machines(
    directory: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "m.json"
    file.write_bytes(message(codelist("CL_NEW", "X")))
    arguments = ["import", str(file), "--project", str(tmp_path), "--json"]
    assert main([*arguments, "--dry-run"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "created": [CL.format("CL_NEW", "1.0.0")],
        "dry run": "nothing was written",
        "files": [],
    }
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["Codelist-SIS-CL_NEW-1.0.0.xml"]
    file.write_bytes(message(codelist("CL_NEW", "Y"), codelist("CL_MORE", "Y")))
    assert main(arguments) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["got"] == "1 of 2 artefacts refused"
    outcome = {one["urn"]: one["outcome"] for one in error["artefacts"]}
    assert outcome == {
        CL.format("CL_NEW", "1.0.0"): "refused",
        CL.format("CL_MORE", "1.0.0"): "created",
    }
    assert main(arguments[:-1]) == 3
    assert "this version is stable" in capsys.readouterr().err


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    content = message(codelist("CL_WEB", "X"))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/codelist" and "structure+xml" in self.headers["Accept"]
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(content if found else b"")

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_message_may_come_from_an_address(address: str, directory: Path) -> None:
    done = import_structures(content_of(f"{address}/codelist"), address, directory)
    assert [one.artefact.id for one in done.artefacts] == ["CL_WEB"]
    with pytest.raises(RequestError, match="HTTP 404"):
        content_of(f"{address}/nothing")
    with pytest.raises(RequestError, match="a file or address"):
        content_of("no/such/file.xml")


def test_what_is_no_structure_message_is_refused(directory: Path) -> None:
    for content in (b"{}", b"<a/>", b'{"meta": {}, "data": {}}', b"[]", b"x"):
        with pytest.raises(StructureError):
            import_structures(content, "m", directory)


def test_the_whole_publication_can_be_imported_into_itself(
    repository: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "structures"
    shutil.copytree(repository / "dsd" / "structures", directory)
    for file in ("sdg.xml", "maps.xml", "dataflows.xml"):
        done = import_structures((directory / file).read_bytes(), file, directory)
        assert {one.outcome for one in done.artefacts} == {Outcome.UNCHANGED}


def test_all_that_is_replaced_leaves_a_file_of_many_and_the_rest_stays(tmp_path: Path) -> None:
    """Lines and places move when an artefact goes; a file may be a single line."""
    lists = [codelist(f"CL_{n}", "A", version="1.0") for n in range(5)]
    again = [codelist(f"CL_{n}", "A", "B", version="1.0") for n in (0, 1, 3)]
    again.append(codelist("CL_1", "A", "B", version="1.1"))
    lists.append(codelist("CL_1", "A", version="1.1"))
    spaced = structure_message(lists, prepared=PREPARED, sender="T", version=MlVersion.ML30)
    forms = {
        "spaced.xml": spaced,
        "dense.xml": spaced.replace(b"\n", b""),
        "message.json": message(*lists),
    }
    for name, content in forms.items():
        found = tmp_path / name / "structures"
        found.mkdir(parents=True)
        (found / name).write_bytes(content)
        done = import_structures(message(*again), "m.json", found)
        assert {one.outcome for one in done.artefacts} == {Outcome.UPDATED}
        left = read_artefacts((found / name).read_bytes(), name)
        assert [one.id for one in left] == ["CL_2", "CL_4"]
        codes = {
            (one.id, one.version): len(one.content["codes"])
            for one in StructureStore.read(found).artefacts
        }
        assert codes == {
            **{(one.id, one.version): 1 for one in lists},
            **{(one.id, one.version): 2 for one in again},
        }


def test_a_file_of_which_only_comments_are_left_goes(directory: Path) -> None:
    lists = directory / "lists.xml"
    alone = structure_message([codelist("CL_B", "A", version="1.0")], prepared=PREPARED, sender="T")
    lists.write_bytes(alone.replace(b"<str:Codelists>", b"<str:Codelists><!--k-->"))
    outcomes(directory, codelist("CL_B", "Z", version="1.0"))
    assert not lists.exists()
    assert [code.id for code in StructureStore.read(directory).codelist("CL_B").codes] == ["Z"]
