// This program is the subcommand sign, desk-plugin-sign. It asks for a password and runs the user's
// editor, so it needs the terminal, which desk lends it.
package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/subcommands/command"
)

type sign struct{}

func (sign) Run(ctx context.Context, args []string) (status int, err error) {
	if len(args) > 0 {
		fmt.Fprintln(os.Stderr, "usage: desk sign")
		return 2, nil
	}
	tty, err := openTerminal()
	if err != nil {
		return 1, err
	}
	defer tty.close()
	fmt.Fprint(tty.out, "Password: ")
	password, err := term.ReadPassword(int(tty.in.Fd()))
	fmt.Fprintln(tty.out)
	if err != nil {
		return 1, err
	}
	text, err := edit(ctx, tty)
	if err != nil {
		return 1, err
	}
	mac := hmac.New(sha256.New, password)
	mac.Write(text)
	fmt.Printf("%ssigned: %x\n", text, mac.Sum(nil)) // for desk's stdout, which need not be the terminal
	return 0, nil
}

// edit returns a text from the user's editor.
func edit(ctx context.Context, tty *terminal) ([]byte, error) {
	dir, err := os.MkdirTemp("", "desk-sign-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "text")
	editor := strings.Fields(cmp.Or(os.Getenv("EDITOR"), defaultEditor))
	cmd := exec.CommandContext(ctx, editor[0], append(editor[1:], path)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty.in, tty.out, tty.out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run the editor %s: %w", editor[0], err)
	}
	return os.ReadFile(path)
}

// terminal is the user's, whatever the standard streams are.
type terminal struct{ in, out *os.File }

func (t *terminal) close() {
	_ = t.in.Close()
	_ = t.out.Close()
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  command.Handshake,
		Versions:   command.Versions,
		Implements: command.Plugin.Bind(sign{}),
		Info:       plugin.Info{Name: "sign", Version: "1.0.0", Summary: "Write a text in your editor, and sign it"},
	})
}
