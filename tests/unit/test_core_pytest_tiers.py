"""Where a test file belongs, told by its path."""

import pytest

from tests.plugin.tiers import misplaced, tier_of


@pytest.mark.parametrize(
    "path",
    [
        "tests/unit/test_core_result.py",
        "tests/unit/test_domain_user_entity.py",
        "tests/unit/test_application_register_user_handler.py",
        "tests/unit/test_infrastructure_event_handlers.py",
        "tests/unit/test_presentation_middleware_trace.py",
        "tests/integration/test_cache_redis.py",
        "tests/integration/test_database_postgres.py",
        "tests/integration/test_domain_events_flow.py",
        "tests/integration/test_audit_durability.py",
        "tests/integration/test_secrets_env_adapter.py",
        "tests/integration/test_repository_settings.py",
        "tests/integration/test_plugin_pytest.py",
        "tests/api/test_users_api.py",
        "tests/api/test_users_endpoints.py",
        "tests/smoke/test_user_registration_flow.py",
    ],
)
def test_a_file_in_its_place_is_accepted(path: str) -> None:
    assert misplaced(path) is None


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("tests/test_core_result.py", "a test outside the tiers"),
        ("tests/fakes/test_cache.py", "a test outside the tiers"),
        ("users/tests/test_core_result.py", "a test outside the tiers"),
        ("test_core_result.py", "a test outside the tiers"),
        ("tests/unit/core/test_core_result.py", "a folder inside a tier"),
        ("tests/unit/test_result.py", "the name does not say what is tested"),
        ("tests/unit/test_core.py", "the name does not say what is tested"),
        ("tests/unit/test_corely_result.py", "the name does not say what is tested"),
        ("tests/integration/test_cache.py", "the name does not say what is tested"),
        ("tests/integration/test_cache_redis_more.py", "the name does not say what is tested"),
        ("tests/api/test_users.py", "the name does not say what is tested"),
        ("tests/smoke/test_login.py", "the name does not say what is tested"),
    ],
)
def test_a_file_out_of_place_gets_a_sentence(path: str, what: str) -> None:
    sentence = misplaced(path)

    assert sentence is not None
    assert sentence.startswith(f"{path}:1: {what}; ")
    assert sentence.count("; ") == 2


@pytest.mark.parametrize("tier", ["unit", "integration", "api", "smoke"])
def test_the_tier_is_the_folder_below_tests(tier: str) -> None:
    assert tier_of(f"tests/{tier}/test_a.py::test_b[tests/other]") == tier


@pytest.mark.parametrize("nodeid", ["", "tests", "tests/fakes/a.py", "unit/a.py", "a/tests/unit/b"])
def test_any_other_folder_is_no_tier(nodeid: str) -> None:
    assert tier_of(nodeid) is None
