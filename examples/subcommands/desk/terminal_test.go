//go:build linux || darwin

package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// editor is a script for EDITOR. It needs a terminal, as editors do.
const editor = `#!/bin/sh
[ -t 0 ] && [ -t 1 ] && [ -t 2 ] || exit 9
printf 'Editor: '
read -r line
echo "$line" >"$1"
`

// screen is the output of a terminal.
type screen struct {
	master *os.File
	shown  bytes.Buffer
}

// sees reads the screen up to a text.
func (s *screen) sees(t *testing.T, text string) {
	t.Helper()
	buffer := make([]byte, 1024)
	for !bytes.Contains(s.shown.Bytes(), []byte(text)) {
		n, err := s.master.Read(buffer)
		s.shown.Write(buffer[:n])
		if err != nil {
			t.Fatalf("the screen shows %q and then %v, want %q", &s.shown, err, text)
		}
	}
}

func (s *screen) types(t *testing.T, text string) {
	t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestSubcommandAsksForAPasswordAndRunsAnEditor(t *testing.T) {
	u := newUser(t)
	install(t, "plugin-sign", u.plugins, "desk-plugin-sign")
	script := filepath.Join(u.plugins, "editor")
	if err := os.WriteFile(script, []byte(editor), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EDITOR", "/bin/sh "+script)
	master, terminal, err := pty.Open()
	if err != nil {
		t.Skip("needs: pseudo-terminals: ", err)
	}
	defer master.Close()
	if err := master.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Logf("the test's own time bounds it alone: %v", err)
	}
	var stdout bytes.Buffer
	desk := exec.CommandContext(t.Context(), filepath.Join(bin, "desk"), "sign")
	desk.Stderr, desk.Stdout = terminal, &stdout // a pipe, as in desk sign | less; stdin is none
	desk.ExtraFiles = []*os.File{terminal}
	desk.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if err := desk.Start(); err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	s := &screen{master: master}
	s.sees(t, "Password: ")
	s.types(t, "secret\r")
	s.sees(t, "Editor: ")
	s.types(t, "hello\r")
	if err := desk.Wait(); err != nil {
		t.Fatalf("%v: the screen shows %q", err, &s.shown)
	}
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte("hello\n"))
	if want := fmt.Sprintf("hello\nsigned: %x\n", mac.Sum(nil)); stdout.String() != want {
		t.Errorf("printed %q, want %q", &stdout, want)
	}
}

func TestSubcommandWithoutATerminalSaysSo(t *testing.T) {
	u := newUser(t)
	install(t, "plugin-sign", u.plugins, "desk-plugin-sign")
	desk := exec.CommandContext(t.Context(), filepath.Join(bin, "desk"), "sign")
	desk.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := desk.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("open /dev/tty")) {
		t.Errorf("printed %q, %v", out, err)
	}
}
