//go:build linux || darwin

package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
)

type overNetRPC struct{}

func (overNetRPC) Greet(_ context.Context, action string) (string, error) { return act(action) }

type overGRPC struct {
	hellov1.UnimplementedHelloServiceServer
}

func (overGRPC) Greet(_ context.Context, req *hellov1.GreetRequest) (*hellov1.GreetResponse, error) {
	answer, err := act(req.GetName())
	return &hellov1.GreetResponse{Text: answer}, err
}

// actions are what a plugin does at the terminal. tty is the terminal, opened by its name.
var actions = map[string]func(tty *os.File) (answer string, err error){
	"stdin is a terminal": func(*os.File) (string, error) { return fmt.Sprint(term.IsTerminal(int(os.Stdin.Fd()))), nil },
	"line of stdin":       func(*os.File) (string, error) { return readLine(os.Stdin) },
	"line": func(tty *os.File) (string, error) {
		fmt.Fprint(tty, "Line: ")
		return readLine(tty)
	},
	"password": func(*os.File) (string, error) { return grandchild("password") },
	"blocked":  func(*os.File) (string, error) { return grandchild("blocked") },
	"size":     size,
	"resize": func(tty *os.File) (string, error) {
		changes := make(chan os.Signal, 1)
		signal.Notify(changes, syscall.SIGWINCH)
		defer signal.Stop(changes)
		fmt.Fprint(tty, "Watching.")
		<-changes
		return size(tty)
	},
	"crash in raw mode": func(tty *os.File) (string, error) {
		if _, err := term.MakeRaw(int(tty.Fd())); err != nil {
			return "", err
		}
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return "", err
		}
		return "", errors.Join(self.Kill(), errors.New("still alive"))
	},
}

func act(action string) (string, error) {
	do, known := actions[action]
	if !known {
		return "", fmt.Errorf("no action %q", action)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer tty.Close()
	return do(tty)
}

func readLine(from *os.File) (string, error) {
	line, err := bufio.NewReader(from).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

func size(tty *os.File) (string, error) {
	width, height, err := term.GetSize(int(tty.Fd()))
	return fmt.Sprintf("%d by %d", width, height), err
}

// grandchild runs this program in a role, and returns its output.
func grandchild(role string) (string, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// askPassword asks for a password as ssh and git do: at the terminal, whatever its input is. It
// shows its prompt when the typed characters are hidden, and again after Ctrl-Z.
func askPassword() error {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer tty.Close()
	fd := int(tty.Fd())
	modes, err := unix.IoctlGetTermios(fd, getModes)
	if err != nil {
		return err
	}
	hidden := *modes
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, setModes, &hidden); err != nil {
		return err
	}
	prompts := make(chan os.Signal, 1)
	signal.Notify(prompts, syscall.SIGCONT)
	prompts <- syscall.SIGCONT
	go func() {
		for range prompts {
			fmt.Fprint(tty, "Password: ")
		}
	}()
	password, err := readLine(tty)
	fmt.Println(password)
	return errors.Join(err, unix.IoctlSetTermios(fd, setModes, modes))
}

// stayBlocked runs until a signal ends it.
func stayBlocked() error {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	fmt.Fprint(tty, "Blocked.")
	select {}
}
