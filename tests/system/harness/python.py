# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Workers in Python: the examples of src/python, as IMAGE."""

import pathlib
import shlex

SOURCE = pathlib.Path(__file__).resolve().parents[3] / "src/python"


def python_image(site, builddir, service, name):
    """An example as the program of a service. In the container the package is installed; by hand it is
    used where it is."""
    path = SOURCE / "examples" / name
    if site.way == "systemd":
        return site.program_for(service, path)
    wrapper = pathlib.Path(site.folder) / f"{service.lower()}.sh"
    wrapper.write_text(
        "#!/bin/sh\n"
        f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={shlex.quote(str(SOURCE))} PATH=/usr/bin:/bin\n"
        "export PYTHONPATH PYTHONDONTWRITEBYTECODE PATH\n"
        f'exec {shlex.quote(str(path))} "$@"\n'
    )
    wrapper.chmod(0o755)
    return site.program_for(service, wrapper)
