# The action's image: a Python interpreter, the dependencies, the code, and the few commands that other CI systems
# need to start a container. No pip, no build tools.
#
# It must build with BuildKit, which GitHub uses, and with the legacy builder, on every architecture of the base image.
# So it has no build mounts, no here-documents, and no path that contains an architecture.

FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
SHELL ["/bin/bash", "-o", "errexit", "-o", "pipefail", "-c"]

# /image becomes the root of the image. Removed: the parts of the standard library for terminals, graphical interfaces,
# on-disk databases, and building and testing Python. Everything else stays, used or not.
RUN mkdir -p /image/usr/local/bin /image/usr/local/lib \
 && cp -a /usr/local/bin/python /usr/local/bin/python3 /usr/local/bin/python3.?? /image/usr/local/bin/ \
 && cp -a /usr/local/lib/libpython3.*.so.* /usr/local/lib/python3.* /image/usr/local/lib/ \
 && rm -rf /image/usr/local/lib/python3.*/{site-packages,ensurepip,venv,config-*,test,idlelib,turtle.py,turtledemo} \
        /image/usr/local/lib/python3.*/{tkinter,curses,_pyrepl,dbm,sqlite3,pydoc_data,__hello__.py,__phello__} \
        /image/usr/local/lib/python3.*/lib-dynload/{*_test*,_xxtest*,xx*,_tkinter*,_curses*,readline*} \
        /image/usr/local/lib/python3.*/lib-dynload/{_dbm*,_gdbm*,_sqlite3*}

# Wheels only: nothing is compiled, and no package runs code during installation.
COPY requirements.txt /build/
RUN pip install --root /image --root-user-action ignore --no-warn-script-location --disable-pip-version-check \
        --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: --requirement /build/requirements.txt \
 && find /image/usr/local/bin ! -type d ! -name 'python*' -delete \
 && find /image/usr/local/lib/python3.*/site-packages \
        \( -name '*.pyi' -o -name '*.h' -o -name RECORD -o -path '*/tests/*' \) ! -type d -delete

# GitHub's hook for Kubernetes copies the workspace with tar, find, chmod and stat, starts the container with tail, and
# runs a script that needs sh, rm, mv and env. GitLab's script needs cat, cp, env, grep, mkdir and rm; Woodpecker's is
# decoded by base64. Jenkins starts the container with cat, and its script needs nohup, cp, touch, sleep and mv.
# https://github.com/actions/runner-container-hooks/blob/v0.8.1/packages/k8s/src/hooks/run-container-step.ts
# https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/shells/bash.go
# https://github.com/woodpecker-ci/woodpecker/blob/main/pipeline/backend/common/script.go
# https://github.com/jenkinsci/durable-task-plugin/blob/master/src/main/java/org/jenkinsci/plugins/durabletask/BourneShellScript.java
RUN mkdir -p /image/usr/bin && ln -s usr/bin /image/bin \
 && for name in sh base64 cat chmod cp env find grep mkdir mv nohup rm sleep stat tail tar touch; do \
        cp --dereference "/usr/bin/$name" /image/usr/bin/; \
    done

# The shared libraries that these files are linked against, and the dynamic loader. `ldd` prints the paths for this
# architecture. The symlinks in the root folder (lib -> usr/lib) are created first, so that the copies follow them.
RUN find / -maxdepth 1 -type l -name 'lib*' -printf '%f %l\n' \
    | while read -r link target; do mkdir -p "/image/$target"; ln -s "$target" "/image/$link"; done \
 && find /image/usr -type f \( -name '*.so' -o -name '*.so.*' -o -path '*/bin/*' \) -exec ldd '{}' + \
    | awk '$2 == "=>" { print $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }' | grep -Ev '^/(image|usr/local)/' | sort -u \
    | xargs cp --parents --dereference --target-directory /image

# User and host name lookup, a folder for temporary files, and Debian's CA certificates, for workflows that set
# SSL_CERT_FILE to them (requests uses certifi's). No locales: without them Python uses UTF-8, whatever a workflow sets.
# https://docs.python.org/3/library/os.html#utf8-mode
RUN cp --parents /etc/passwd /etc/group /etc/nsswitch.conf /etc/ssl/certs/ca-certificates.crt /image \
 && mkdir -p /image/root && install --directory --mode 1777 /image/tmp

# For scanners: Debian's release, and the status of each package that a file comes from, in the place that distroless
# images use. The last three packages created their files during installation, so no list of files names them.
# https://github.com/GoogleContainerTools/distroless/blob/main/PACKAGE_METADATA.md
RUN cp --parents --dereference /etc/os-release /image \
 && mkdir -p /image/var/lib/dpkg/status.d \
 && find /image -type f ! -path '/image/usr/local/*' -printf '/%P\n' | xargs realpath | sort -u \
    | { xargs dpkg-query --search 2>/dev/null || true; } | cut -d : -f 1 | sort -u | sed '$a base-passwd\nca-certificates\nlibc-bin' \
    | while read -r package; do dpkg-query --status "$package" > "/image/var/lib/dpkg/status.d/$package"; done

# A container does not keep bytecode between runs, so all modules are compiled here. unchecked-hash skips the comparison
# with the source, which cannot change in an image. The sources stay, for tracebacks; no_debug_ranges drops the column
# positions, which take time to load. If a library is missing, the imports fail the build rather than a workflow.
# https://docs.python.org/3/using/cmdline.html#cmdoption-X
RUN python -X no_debug_ranges -m compileall -q -f -j 0 --invalidation-mode unchecked-hash -s /image -p / /image/usr/local/lib \
 && LD_LIBRARY_PATH=/usr/local/lib chroot /image /usr/local/bin/python -I -c \
        'import ctypes, decimal, hashlib, lzma, ssl, uuid, zlib, github, nacl.public, pydantic, requests'

COPY entrypoint.py /action/
COPY src/onlineornot_action /action/src/onlineornot_action
RUN python -X no_debug_ranges -m compileall -q --invalidation-mode unchecked-hash /action


FROM scratch
LABEL org.opencontainers.image.title="OnlineOrNot incident update" \
      org.opencontainers.image.description="Posts and patches incident updates on OnlineOrNot status pages" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/OWNER/onlineornot-incident-update"
COPY --from=build /image /
COPY --from=build /action /action
# The release workflow sets both; other builds, such as those of `uses: ./` and of forks, keep the defaults.
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# Saves 3 ms at each start: pydantic would read the metadata of every package to look for plugins, and there are none.
# https://github.com/pydantic/pydantic/blob/main/pydantic/plugin/_loader.py
ENV PYDANTIC_DISABLE_PLUGINS=__all__
ENV PATH=/usr/local/bin:/usr/bin:/bin
# Runs as root, as GitHub requires, since the files that the runner mounts belong to other users. Exec form, since a
# shell drops environment variables with a hyphen, such as INPUT_API-TOKEN. The script's first line starts Python with
# -I, so that no file of the workspace is imported.
# https://docs.github.com/en/actions/reference/workflows-and-actions/dockerfile-support
ENTRYPOINT ["/action/entrypoint.py"]
