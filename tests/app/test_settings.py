"""Settings come from the environment, strictly, and each says what it is."""

import pytest
from pydantic import ValidationError

from app.settings import GIB, KIB, MIB, Settings, SettingsError


def complaint(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return str(caught.value)


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.cors_origins) == ("127.0.0.1", 8000, ())
    assert settings.limits == {
        "max_head_bytes": 32 * KIB,
        "max_body_bytes": 64 * MIB,
        "max_json_depth": 100,
        "max_statements": 100_000,
        "max_arity": 64,
        "max_rank": 32,
        "max_elements": 2**27,
        "max_peak_bytes": 2 * GIB,
        "max_output_bytes": 64 * MIB,
        "max_iterations": 1_000_000,
        "max_nodes": 1_000_000,
        "max_trace": 100_000,
        "max_errors": 20,
        "max_error_bytes": 8 * KIB,
        "max_connections": 2000,
        "max_seen_graphs": 4096,
        "max_seen_bytes": 32 * MIB,
        "max_stored_graphs": 1000,
        "max_stored_versions": 16,
        "max_stored_graph_bytes": 64 * MIB,
        "max_stored_bytes": GIB,
        "deadline_seconds": 30,
        "head_timeout_seconds": 5,
        "body_timeout_seconds": 10,
    }


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(".")


def test_values_are_read_with_units_and_lists() -> None:
    settings = Settings.from_env(
        {
            "GRADWIRE_PORT": "9001",
            "GRADWIRE_MAX_BODY_BYTES": "1.5MiB",
            "GRADWIRE_CORS_ORIGINS": "https://a.example, http://localhost:3000",
            "GRADWIRE_ACCESS_LOG": "false",
            "GRADWIRE_DEADLINE_SECONDS": "0.5",
            "UNRELATED": "x",
        }
    )
    assert settings.port == 9001
    assert settings.max_body_bytes == 1536 * KIB
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert not settings.access_log
    assert settings.deadline_seconds == 0.5


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env({"GRADWIRE_PORT": "", "GRADWIRE_HOST": " ", "PORT": ""}) == Settings()


def test_port_is_a_fallback() -> None:
    assert Settings.from_env({"PORT": "9002"}).port == 9002
    assert Settings.from_env({"PORT": "9002", "GRADWIRE_PORT": "9003"}).port == 9003
    assert complaint(PORT="x").startswith("PORT='x': Input should be a valid integer")


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADWIRE_PORT", "9004")
    assert Settings.from_env().port == 9004


def test_what_kubernetes_injects_is_not_ours() -> None:
    injected = {
        "GRADWIRE_PORT": "tcp://10.0.0.1:8000",
        "GRADWIRE_SERVICE_HOST": "10.0.0.1",
        "GRADWIRE_SERVICE_PORT": "8000",
        "GRADWIRE_SERVICE_PORT_HTTP": "8000",
        "GRADWIRE_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "GRADWIRE_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert Settings.from_env(injected) == Settings()
    assert Settings.from_env({**injected, "PORT": "9005"}).port == 9005


def test_every_complaint_is_made_at_once() -> None:
    text = complaint(GRADWIRE_PROT="1", GRADWIRE_MAX_RANK="many", GRADWIRE_ZZZZ="1")
    assert text.splitlines() == [
        "GRADWIRE_PROT: no such setting; did you mean GRADWIRE_PORT?",
        "GRADWIRE_ZZZZ: no such setting",
        "GRADWIRE_MAX_RANK='many': Input should be a valid integer, unable to parse string as an integer",
    ]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GRADWIRE_PORT", "65536"),
        ("GRADWIRE_PORT", "-1"),
        ("GRADWIRE_PORT", "80.5"),
        ("GRADWIRE_MAX_RANK", "33"),
        ("GRADWIRE_MAX_BODY_BYTES", "0"),
        ("GRADWIRE_MAX_BODY_BYTES", "64 parsecs"),
        ("GRADWIRE_DEADLINE_SECONDS", "nan"),
        ("GRADWIRE_DEADLINE_SECONDS", "inf"),
        ("GRADWIRE_DEADLINE_SECONDS", "0"),
        ("GRADWIRE_LOG_LEVEL", "loud"),
        ("GRADWIRE_COMPUTE", "gpu"),
        ("GRADWIRE_ACCESS_LOG", "perhaps"),
        ("GRADWIRE_CORS_ORIGINS", "example.com"),
        ("GRADWIRE_CORS_ORIGINS", "https://example.com/path"),
    ],
)
def test_an_impossible_value_is_refused_by_its_variable(variable: str, value: str) -> None:
    assert complaint(**{variable: value}).startswith(f"{variable}=")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1
    with pytest.raises(ValidationError, match="Extra inputs"):
        Settings(prot=1)  # type: ignore[call-arg]
