#!/bin/sh
# Run a command on a SLURM cluster of one node that exists only meanwhile: with_slurm.sh COMMAND [ARGUMENT ...]
# Needs root and Debian's packages slurm-wlm and munge. Everything listens on loopback only; the GPU is made up.
# The configuration has to be in /etc/slurm: Snakemake's plugin removes SLURM_CONF from the environment of its jobs.
set -eu

etc=/etc/slurm
state=/run/elcrec-slurm         # keys, sockets, process ids
logs=${ELCREC_SLURM_LOGS:-/tmp/elcrec-slurm-logs}
mark="# Written by tests/slurm/with_slurm.sh, which removes it"

fail() {
  echo "with_slurm.sh: $1" >&2
  exit 2
}

for program in slurmctld slurmd munged; do
  command -v "$program" >/dev/null || fail "$program is missing; on Debian: apt-get install slurm-wlm munge"
done
[ "$(id -u)" = 0 ] || fail "slurmd has to be started by root"
[ $# -gt 0 ] || fail "name a command to run"
for file in slurm.conf gres.conf cgroup.conf; do
  [ ! -e "$etc/$file" ] || head -n 1 "$etc/$file" | grep -qxF "$mark" || fail "$etc/$file is not mine; nothing was changed"
done

# End what a pid file names, and wait until it is gone.
end() {
  [ -e "$state/$1.pid" ] || return 0
  pid=$(cat "$state/$1.pid")
  case "$(cat "/proc/$pid/comm" 2>/dev/null)" in
    "$1") kill "$pid" 2>/dev/null || true ;;
    *) return 0 ;;
  esac
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

take_down() {
  if scontrol ping >/dev/null 2>&1; then
    squeue --noheader --format=%A | xargs --no-run-if-empty scancel --signal=KILL --full 2>/dev/null || true
    squeue --noheader --format=%A | xargs --no-run-if-empty scancel 2>/dev/null || true
    for _ in $(seq 100); do
      [ -n "$(squeue --noheader 2>/dev/null)" ] || break
      sleep 0.1
    done
  fi
  end slurmd
  end slurmctld
  end munged
  rm -f "$etc/slurm.conf" "$etc/gres.conf" "$etc/cgroup.conf"
  rm -rf "$state"
}

take_down                       # what a run left that was killed
trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$state/controller" "$state/node" "$logs" "$etc"
chmod 755 "$state"

# A munge of our own beside any that the machine has: own key, own socket.
head -c 1024 /dev/urandom >"$state/key"
chmod 400 "$state/key"
munged --force --key-file="$state/key" --socket="$state/munge" --pid-file="$state/munged.pid" \
  --seed-file="$state/seed" --log-file="$logs/munged.log"

host=$(hostname -s)
{
  echo "$mark"
  cat <<CONF
ClusterName=elcrec
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$logs/slurmctld.log
SlurmdLogFile=$logs/slurmd.log
# No accounting: records of jobs are kept by the controller, long enough for the tests to read them.
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=7200
# Needs neither systemd nor cgroups.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SlurmdParameters=config_overrides
ReturnToService=2
# A job that reaches its limit is told so at once and killed five seconds later.
OverTimeLimit=0
KillWait=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000 Gres=gpu:1 State=UNKNOWN
PartitionName=tests Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
} >"$etc/slurm.conf"
printf '%s\nNodeName=%s Name=gpu File=/dev/null\n' "$mark" "$host" >"$etc/gres.conf"

slurmctld
slurmd
for _ in $(seq 300); do
  [ "$(sinfo --noheader --format=%T 2>/dev/null)" != idle ] || break
  sleep 0.1
done
[ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] || fail "the node does not become idle; see $logs"

"$@"
