/**
 * A disk whose fsync fails, for real processes: a library that stands between a process and its kernel and answers EIO
 * for the files of a directory that holds the file `fsync-fails`, adding one byte to that file for each time.
 * Compiled on the spot; the compiler is Debian's, installed when it is missing.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from './run-command.ts'

const MARK = 'fsync-fails'

const SOURCE = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(int fd) {
  char link[64], path[PATH_MAX + sizeof "/${MARK}"];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  char *slash = strrchr(path, '/');
  if (slash == NULL) return 0;
  strcpy(slash, "/${MARK}");
  int mark = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (mark < 0) return 0;
  ssize_t written = write(mark, "x", 1);
  close(mark);
  return written == 1;
}

static int sync_or_fail(long call, int fd) {
  if (fails(fd)) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(call, fd);
}

int fsync(int fd) { return sync_or_fail(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_or_fail(SYS_fdatasync, fd); }
`

export type FailingFsync = {
  /** For the environment of a process: `LD_PRELOAD`. */
  readonly library: string
  /** From now on no fsync of a file in this directory succeeds. */
  fail(directory: string): void
  /** How often a process was told so. */
  failures(directory: string): number
  heal(directory: string): void
  dispose(): void
}

/** Throws when there is no compiler and none to be had. */
export const buildFailingFsync = (): FailingFsync => {
  installCompiler()
  const folder = mkdtempSync(join(tmpdir(), 'tutti-fsync-'))
  const library = join(folder, 'failing-fsync.so')
  must('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, '-x', 'c', '-'], SOURCE)
  const mark = (directory: string): string => join(directory, MARK)
  return {
    library,
    fail: directory => writeFileSync(mark(directory), ''),
    failures: directory => statSync(mark(directory)).size,
    heal: directory => rmSync(mark(directory)),
    dispose: () => rmSync(folder, { recursive: true }),
  }
}

const installCompiler = (): void => {
  if (spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0) return
  const apt = (...args: string[]) => spawnSync('apt-get', args, { encoding: 'utf8', timeout: 200_000 })
  const install = () => apt('install', '--yes', '--no-install-recommends', 'gcc', 'libc6-dev')
  if (install().status === 0) return
  apt('update')
  const done = install()
  if (done.status !== 0) throw new Error(`gcc cannot be installed: ${done.stderr || done.error?.message}`)
}
