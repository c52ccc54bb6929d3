"""What Heroku reads of this repository: app.json by its published schema, the Procfile, the Python version."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema

from services import connection_budget
from services.settings import Settings
from tests.environment import environment

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "heroku/app-json.schema.json").read_text())


def app() -> dict[str, Any]:
    return json.loads((ROOT / "app.json").read_text())


def procfile() -> dict[str, str]:
    return dict(re.split(r":\s*", line, maxsplit=1) for line in (ROOT / "Procfile").read_text().splitlines())


def test_app_json_is_what_its_schema_says() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)

    assert [fault.message for fault in jsonschema.Draft7Validator(SCHEMA).iter_errors(app())] == []


def test_its_formation_is_lines_of_the_procfile_and_its_variables_are_settings() -> None:
    known = {(field.alias or f"PERDURE_{name.upper()}") for name, field in Settings.model_fields.items()}
    in_procfile = set(re.findall(r"\$\{(\w+)", (ROOT / "Procfile").read_text()))

    assert set(app()["formation"]) == set(connection_budget.KINDS) == set(procfile()) - {"release", "flower"}
    assert set(app()["env"]) <= known | in_procfile


def test_what_app_json_sets_up_fits_into_the_plan_s_connections() -> None:
    given = {name: entry["value"] for name, entry in app()["env"].items() if "value" in entry}
    with environment(**given):
        budget = connection_budget.check()

    assert budget.allowed == 20
    assert budget.total <= budget.allowed - 3  # and a person with psql gets in


def test_every_line_of_the_procfile_starts_a_program_that_the_lock_file_installs() -> None:
    programs = {line.split()[0] for line in procfile().values()}

    assert programs <= {"python", "gunicorn", "celery"}  # the project itself is not installed on a dyno
    assert "-r requirements.lock" in (ROOT / "requirements.txt").read_text().splitlines()


def test_the_python_version_is_one_that_we_support_and_test_with() -> None:
    wanted = (ROOT / ".python-version").read_text().strip()

    assert tuple(map(int, wanted.split("."))) >= (3, 11)
    assert f"{sys.version_info.major}.{sys.version_info.minor}" >= wanted
