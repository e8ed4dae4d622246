import pytest

from tests.records.made import SCHEMA
from yt8m.core.schema import Level, Schema


def test_what_follows_from_the_features():
    assert (SCHEMA.width, SCHEMA.primary, SCHEMA.mean_key("audio")) == (12, "rgb", "mean_audio")
    other = SCHEMA.model_copy(update={"features": {"audio": 4, "rgb": 8, "flow": 3}, "mean_prefix": ""})
    assert (other.width, other.primary, other.mean_key("audio")) == (15, "audio", "audio")


def test_levels():
    assert [(SCHEMA.frames(level), SCHEMA.dtype(level)) for level in Level] == [(6, "uint8"), (1, "float32")]
    assert [str(level) for level in Level] == ["frame", "video"]


def test_json_keeps_all():
    found = Schema.model_validate_json(SCHEMA.model_dump_json())
    assert found == SCHEMA
    assert list(found.features) == list(SCHEMA.features)


@pytest.mark.parametrize("change", [{"classes": 0}, {"classes": "10"}, {"features": {}}, {"id_key": ""}, {"more": 1}])
def test_what_is_no_schema(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        Schema.model_validate(SCHEMA.model_dump() | change)
