//go:build unix

package faultinjection

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// control is the test's end of the connection to a plugin's process.
type control struct {
	listener *net.UnixListener
	conn     net.Conn
	reports  *bufio.Scanner
	pid      int // of the plugin's process
}

// newControl listens for a plugin until the end of the test.
func newControl(t *testing.T, dir string) *control {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "control"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	c := &control{listener: listener}
	t.Cleanup(func() {
		_ = listener.Close()
		if c.conn != nil {
			_ = c.conn.Close()
		}
	})
	return c
}

func (c *control) path() string { return c.listener.Addr().String() }

// accept waits for the plugin's process.
func (c *control) accept() (err error) {
	if err = c.listener.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if c.conn, err = c.listener.Accept(); err != nil {
		return err
	}
	c.reports = bufio.NewScanner(c.conn)
	c.pid, err = c.id(reportBegin)
	return err
}

// id returns the process ID in a report.
func (c *control) id(report string) (int, error) {
	text, err := c.report()
	if err != nil {
		return 0, err
	}
	number, ok := strings.CutPrefix(text, report)
	if !ok {
		return 0, fmt.Errorf("the plugin reports %q, expected %q", text, report)
	}
	return strconv.Atoi(number)
}

// report returns the next report.
func (c *control) report() (string, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if !c.reports.Scan() {
		return "", fmt.Errorf("the plugin's process has gone: %w", errors.Join(io.EOF, c.reports.Err()))
	}
	return c.reports.Text(), nil
}

func (c *control) await(want string) error {
	got, err := c.report()
	if err == nil && got != want {
		err = fmt.Errorf("the plugin reports %q, expected %q", got, want)
	}
	return err
}

// order gives an order, and waits until it is carried out.
func (c *control) order(order string) error {
	if err := c.send(order); err != nil {
		return err
	}
	return c.await(reportDone)
}

// send gives an order that the process does not survive.
func (c *control) send(order string) error {
	_, err := fmt.Fprintln(c.conn, order)
	return err
}

// gone waits for the end of the process.
func (c *control) gone() error {
	if text, err := c.report(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the plugin's process stays, and reports %q", text)
	}
	return nil
}
