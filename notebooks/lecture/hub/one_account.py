"""JupyterHub TO TRY IT OUT, OR AMONG PEOPLE WHO TRUST EACH OTHER. NOT FOR A CLASS.

ALL STUDENTS SHARE ONE ACCOUNT OF THE MACHINE, YOURS. WHOEVER HAS THE PASSWORD CAN READ, CHANGE AND
DELETE THE FILES OF ALL OTHERS, YOUR OWN, AND THE HUB'S DATABASE AND SECRETS.
For a class take `own_accounts.py`.

    pip install jupyterhub==6.1.1 jupyterhub-idle-culler==2.0.0 -r requirements.txt
    npm install configurable-http-proxy@5
    COURSE_PASSWORD='twelve or more' jupyterhub -f notebooks/lecture/hub/one_account.py

It does not start without a password of twelve characters, nor as root, nor in a folder that others
may enter (COURSE_WORK), nor where other machines reach it (COURSE_URL) unless COURSE_OPEN=yes says
that you mean it. There is no encryption: the password is sent as it is.
"""

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from students import EDITION, must, only_here, own_folder, set_up

c = get_config()  # noqa: F821  JupyterHub calls this file with it

password = os.environ.get("COURSE_PASSWORD", "")
must(os.geteuid() != 0, "it is run by root, and each student's code would be root's")
must(len(password) >= 12, "COURSE_PASSWORD must have at least twelve characters")

# The students' folders are here too.
work = own_folder(os.environ.get("COURSE_WORK", Path.home() / "course-hub"))
set_up(c, work)
must(
    only_here(c.JupyterHub.bind_url) or os.environ.get("COURSE_OPEN") == "yes",
    "other machines reach COURSE_URL, and whoever logs in there is you; COURSE_OPEN=yes allows it",
)

# Any name, one password.
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = password
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(work / "{username}")


def hand_out(spawner):
    """Give the students' edition to whom it is new; what a student has is never touched."""
    to = work / spawner.user.name / "course"
    if EDITION.exists() and not to.exists():
        shutil.copytree(EDITION, to)


c.Spawner.pre_spawn_hook = hand_out
