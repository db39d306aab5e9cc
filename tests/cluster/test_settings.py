"""The configuration of Dask is one that Dask knows."""

import pytest
import yaml
from distributed.config import defaults

from ogas.cluster.runtime import settings


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.key)
def test_dask_knows_every_setting(setting):
    *groups, last = setting.key.split(".")
    found = defaults
    for name in groups:
        assert name in found
        found = found[name]
    # What stands under `environ` are variables of the environment, whatever Dask itself sets there.
    assert groups[-1].endswith("environ") or not isinstance(found[last], dict)
    assert setting.reason


def test_the_file_for_hand_started_servers_says_the_same():
    expected = {}
    for setting in settings.SETTINGS:
        *groups, name = setting.key.split(".")
        place = expected
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = setting.value
    assert yaml.safe_load(settings.as_yaml()) == expected
