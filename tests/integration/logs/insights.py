"""The query of docs/logs.md, run as it stands there."""

import json
import re
import time
from pathlib import Path
from typing import Any

_DOCS = Path(__file__).parents[3] / "docs" / "logs.md"


def story(logs: Any, group: str, correlation_id: str) -> list[dict[str, Any]]:
    """The lines that the documented query finds, in its order; each with its stream as `@logStream`."""
    found = re.search(r"```\n(fields .*?)```", _DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    query = found[1].replace("CORRELATION_ID", correlation_id)
    now = int(time.time())
    started = logs.start_query(logGroupName=group, startTime=now - 3600, endTime=now + 60, queryString=query)
    while (answer := logs.get_query_results(queryId=started["queryId"]))["status"] in ("Scheduled", "Running"):
        time.sleep(0.1)
    return [_line(logs, {cell["field"]: cell["value"] for cell in row}) for row in answer["results"]]


def _line(logs: Any, row: dict[str, str]) -> dict[str, Any]:
    """The simulated AWS knows the `@` fields alone; the line itself is behind the row's pointer."""
    record = logs.get_log_record(logRecordPointer=row["@ptr"])["logRecord"]
    return {**json.loads(record["@message"]), "@logStream": row["@logStream"]}
