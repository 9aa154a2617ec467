"""Build sdist and wheel of a folder: equal bytes for an equal SOURCE_DATE_EPOCH.

The sdist is packed again, because setuptools stores times and owners of files in it.

python .ci/build_archives.py FOLDER OUTPUT
"""

import gzip
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path


def repacked(content, time):
    """Return a .tar.gz of the same files, with one time and no owner."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as old,
        gzip.GzipFile("", "wb", fileobj=packed, mtime=time) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda m: m.name):
            file = old.extractfile(member) if member.isfile() else None
            member.mtime, member.uid, member.gid = time, 0, 0
            member.uname = member.gname = ""
            member.pax_headers = {}
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            new.addfile(member, file)
    return packed.getvalue()


if __name__ == "__main__":
    folder, output = sys.argv[1:]
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", output, folder],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    time = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in Path(output).glob("*.tar.gz"):
        path.write_bytes(repacked(path.read_bytes(), time))
