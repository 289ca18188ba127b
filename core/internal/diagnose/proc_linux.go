package diagnose

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	statfsNoexec = 0x8 // ST_NOEXEC of statfs(2)

	// Limits of the search for a writer: a machine with very many processes
	// must not delay an error.
	maxProcesses       = 4096
	maxFilesPerProcess = 1024
)

// isNoexec reports whether the file's file system runs no programs.
func isNoexec(path string) bool {
	var stat syscall.Statfs_t
	return syscall.Statfs(path, &stat) == nil && stat.Flags&statfsNoexec != 0
}

// writerOf names a process with the file open for writing, if this user can
// see it.
func writerOf(file fs.FileInfo) string {
	proc, err := os.Open("/proc")
	if err != nil {
		return ""
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(2 * maxProcesses)
	seen := 0
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if seen++; seen > maxProcesses {
			return ""
		}
		if writes(pid, file) {
			return processText(pid)
		}
	}
	return ""
}

// writes reports whether a process has the file open for writing.
func writes(pid int, file fs.FileInfo) bool {
	base := filepath.Join("/proc", strconv.Itoa(pid))
	dir, err := os.Open(filepath.Join(base, "fd"))
	if err != nil {
		return false
	}
	defer dir.Close()
	descriptors, _ := dir.Readdirnames(maxFilesPerProcess)
	for _, fd := range descriptors {
		info, err := os.Stat(filepath.Join(base, "fd", fd))
		if err == nil && os.SameFile(info, file) && isWriting(filepath.Join(base, "fdinfo", fd)) {
			return true
		}
	}
	return false
}

// isWriting reads the open flags of a descriptor.
func isWriting(fdinfo string) bool {
	text, err := os.ReadFile(fdinfo)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		value, ok := strings.CutPrefix(line, "flags:")
		if !ok {
			continue
		}
		flags, err := strconv.ParseUint(strings.TrimSpace(value), 8, 64)
		return err == nil && flags&syscall.O_ACCMODE != syscall.O_RDONLY
	}
	return false
}

func processText(pid int) string {
	if pid == os.Getpid() {
		return "this process itself"
	}
	comm, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	if err != nil {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d (%q)", pid, strings.TrimSpace(string(comm)))
}
