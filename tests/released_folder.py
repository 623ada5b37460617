"""A released folder in memory: taken apart, changed, and described anew, as a careful forger would."""

import csv
import hashlib
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

PACKAGE = "datapackage.json"
TYPES = {"integer": int, "number": float, "string": str}


def written(folder, files):
    """Put files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


class Forged:
    """The rows and the package of a release, open to changes; `files` has them in order again."""

    def __init__(self, files):
        self.package = json.loads(files[PACKAGE])
        self.page = {name: content for name, content in files.items() if name.endswith(".html")}
        self.table = next(name for name in files if name.endswith(".csv")).removesuffix(".csv")
        lines = list(csv.reader(io.StringIO(files[f"{self.table}.csv"].decode(), newline="")))
        self.kinds = {f["name"]: f["type"] for f in self.package["resources"][0]["schema"]["fields"]}
        self.rows = [self._typed(dict(zip(lines[0], line, strict=True))) for line in lines[1:]]
        self.parquet_rows = None  # the same, unless said otherwise

    def _typed(self, row):
        return {name: TYPES[self.kinds[name]](text) if text else None for name, text in row.items()}

    def row(self, **codes):
        """The row with these codes."""
        return next(row for row in self.rows if all(row[name] == code for name, code in codes.items()))

    @property
    def facts(self):
        return self.package["usage_stats"]

    @property
    def fields(self):
        """The columns as described, of both files."""
        return [resource["schema"]["fields"] for resource in self.data]

    @property
    def data(self):
        """The files with rows, as described."""
        return [resource for resource in self.package["resources"] if "schema" in resource]

    def files(self):
        """The files, with digests, lengths and counts that fit the rows; the page is what it was."""
        data = {f"{self.table}.csv": self._csv(), f"{self.table}.parquet": self._parquet(), **self.page}
        for resource in self.package["resources"]:
            content = data[resource["path"]]
            resource["bytes"], resource["hash"] = (
                len(content),
                f"sha256:{hashlib.sha256(content).hexdigest()}",
            )
        return {**data, PACKAGE: json.dumps(self.package).encode()}

    def count_anew(self):
        """Have the package speak of as many rows, and as many withheld ones, as there are."""
        withheld = sum(row["status"] == "suppressed" for row in self.rows)
        self.facts["rows"] = len(self.rows)
        self.facts["rows_withheld_share"] = round(withheld / len(self.rows), 4)

    def _csv(self):
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.rows[0])
        writer.writerows(row.values() for row in self.rows)
        return text.getvalue().encode()

    def _parquet(self):
        arrow = {"integer": pa.int64(), "number": pa.float64(), "string": pa.string()}
        schema = pa.schema([(name, arrow[self.kinds.get(name, "string")]) for name in self.rows[0]])
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(self.parquet_rows or self.rows, schema), sink)
        return sink.getvalue().to_pybytes()
