# The image of the action: an interpreter, the dependencies and the code. No shell, no pip, nothing to build with.
#
# It builds with BuildKit, as GitHub does, and with the legacy builder, on every architecture of the base image. Hence
# no build mounts, no here-documents, and no path that names an architecture.

FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
SHELL ["/bin/bash", "-o", "errexit", "-o", "pipefail", "-c"]

# /image becomes the root of the image. What goes again is the side of the standard library that serves terminals,
# windows, databases on disk, building and testing Python itself; all the rest stays, whether it is used or not.
RUN mkdir -p /image/usr/local/bin /image/usr/local/lib \
 && cp -a /usr/local/bin/python /usr/local/bin/python3 /usr/local/bin/python3.?? /image/usr/local/bin/ \
 && cp -a /usr/local/lib/libpython3.*.so.* /usr/local/lib/python3.* /image/usr/local/lib/ \
 && rm -rf /image/usr/local/lib/python3.*/{site-packages,ensurepip,venv,config-*,test,idlelib,turtle.py,turtledemo} \
        /image/usr/local/lib/python3.*/{tkinter,curses,_pyrepl,dbm,sqlite3,pydoc_data,__hello__.py,__phello__} \
        /image/usr/local/lib/python3.*/lib-dynload/{*_test*,_xxtest*,xx*,_tkinter*,_curses*,readline*} \
        /image/usr/local/lib/python3.*/lib-dynload/{_dbm*,_gdbm*,_sqlite3*}

# Wheels only: nothing is compiled, and no package runs code of its own while it is installed.
COPY requirements.txt /build/
RUN pip install --root /image --root-user-action ignore --no-warn-script-location --disable-pip-version-check \
        --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: --requirement /build/requirements.txt \
 && find /image/usr/local/bin ! -type d ! -name 'python*' -delete \
 && find /image/usr/local/lib/python3.*/site-packages \
        \( -name '*.pyi' -o -name '*.h' -o -name RECORD -o -path '*/tests/*' \) ! -type d -delete

# The libraries that all of it is linked with, and the loader. `ldd` names them where this architecture has them; the
# links of the root folder (lib -> usr/lib) come first, so that the copies land where the links lead.
RUN find / -maxdepth 1 -type l -name 'lib*' -printf '%f %l\n' \
    | while read -r link target; do mkdir -p "/image/$target"; ln -s "$target" "/image/$link"; done \
 && find /image/usr/local -type f \( -name '*.so' -o -name '*.so.*' -o -path '*/bin/*' \) -exec ldd '{}' + \
    | awk '$2 == "=>" { print $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }' | grep -Ev '^/(image|usr/local)/' | sort -u \
    | xargs cp --parents --dereference --target-directory /image

# Names of users and hosts, certificates for whoever points SSL_CERT_FILE at them (requests brings its own), a place
# for temporary files. No locales: without them Python speaks UTF-8, whatever a workflow sets.
RUN cp --parents /etc/passwd /etc/group /etc/nsswitch.conf /etc/ssl/certs/ca-certificates.crt /image \
 && mkdir -p /image/root && install --directory --mode 1777 /image/tmp

# A container keeps no bytecode from one run to the next, so all of it is made here. It is not compared with its source
# when it is loaded: nothing in an image changes. The sources stay, for tracebacks; the columns of each line, which only
# underline it there, take time to load. The imports make a library that is missing fail the build, not a workflow.
RUN python -X no_debug_ranges -m compileall -q -f -j 0 --invalidation-mode unchecked-hash -s /image -p / /image/usr/local/lib \
 && LD_LIBRARY_PATH=/usr/local/lib chroot /image /usr/local/bin/python -I -c \
        'import ctypes, decimal, hashlib, lzma, ssl, uuid, zlib, cryptography.x509, github, nacl.public, pydantic, requests'

COPY entrypoint.py /action/
COPY src/onlineornot_action /action/src/onlineornot_action
RUN python -X no_debug_ranges -m compileall -q --invalidation-mode unchecked-hash /action


FROM scratch
LABEL org.opencontainers.image.title="OnlineOrNot incident update" \
      org.opencontainers.image.description="Posts and patches incident updates on OnlineOrNot status pages" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /image /
COPY --from=build /action /action
# There are no plugins that pydantic could find by reading the metadata of every package: that spares each start 3 ms.
ENV PYDANTIC_DISABLE_PLUGINS=__all__
# It runs as root, since the files that the runner mounts belong to other users. Exec form, since a shell drops the
# variables of inputs that have a hyphen; -I, so that no file of the workspace is imported.
ENTRYPOINT ["/usr/local/bin/python", "-I", "/action/entrypoint.py"]
