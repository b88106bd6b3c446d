"""JupyterHub for a class on one machine: each student has an account of their own.

Nobody reads or changes the files of another, nor those of the hub: the system forbids it. Memory
and CPU are NOT limited; The Littlest JupyterHub, made of the same parts and systemd, limits both.

    pip install jupyterhub==6.1.1 jupyterhub-idle-culler==2.0.0 -r requirements.txt
    npm install configurable-http-proxy@5
    groupadd students
    useradd --create-home -K HOME_MODE=0700 --groups students ada    # and so on; then passwd ada
    COURSE_URL=https://:443 COURSE_CERT=… COURSE_KEY=… jupyterhub -f …/hub/own_accounts.py

Root runs it, since only root can start a server as its student; no student's code runs as root.
Students log in with the password of their account. It does not start if it is not run by root, if
others may enter its folder (COURSE_WORK) or write to its own files, or if other machines reach it
(COURSE_URL) without a certificate. Python and the course must lie where students may read them.
"""

import os
import pwd
import subprocess
import sys
from pathlib import Path

here = Path(__file__).parent
sys.path.insert(0, str(here))
from students import EDITION, must, only_here, own_folder, set_up  # noqa: E402

c = get_config()  # noqa: F821  JupyterHub calls this file with it

must(os.geteuid() == 0, "only root can start each student's server in their own account")
for path in (here, *here.glob("*.py"), Path(sys.executable).resolve()):
    must(not path.stat().st_mode & 0o022, f"root would run {path}, which others may change")

work = own_folder(os.environ.get("COURSE_WORK", "/var/lib/course-hub"))
set_up(c, work)

c.JupyterHub.ssl_cert = os.environ.get("COURSE_CERT", "")
c.JupyterHub.ssl_key = os.environ.get("COURSE_KEY", "")
must(
    only_here(c.JupyterHub.bind_url) or (c.JupyterHub.ssl_cert and c.JupyterHub.ssl_key),
    "other machines reach COURSE_URL, and passwords need COURSE_CERT and COURSE_KEY there",
)

c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.open_sessions = False
c.LocalAuthenticator.allowed_groups = {"students"}
c.Authenticator.blocked_users = {"root"}

c.JupyterHub.spawner_class = "localprocess"


def hand_out(spawner):
    """Give the students' edition to whom it is new; what a student has is never touched.

    It is copied by the student's own account: root writes nothing where a student may put a link.
    """
    student = pwd.getpwnam(spawner.user.name)
    home = Path(student.pw_dir)
    if home.stat().st_mode & 0o077:
        raise PermissionError(f"others may enter {home}; chmod 700 would keep them out")
    to = home / "course"
    if EDITION.exists() and not to.exists():
        subprocess.run(
            ["cp", "--recursive", str(EDITION), str(to)],
            check=True,
            cwd="/",
            user=student.pw_uid,
            group=student.pw_gid,
            extra_groups=[],
        )


c.Spawner.pre_spawn_hook = hand_out
