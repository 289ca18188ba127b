package examples_test

import (
	"bufio"
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
)

// language is a key-value plugin in a language other than Go.
type language struct {
	script string
	// find returns the interpreter, or skips the test.
	find func(t *testing.T) string
	// descriptor returns the generated code's version of kv.proto.
	descriptor func(t *testing.T, interpreter string) *descriptorpb.FileDescriptorProto
}

var languages = map[string]language{
	"python": {filepath.Join("python", "kv_plugin.py"), findPython, pythonDescriptor},
	"node":   {filepath.Join("node", "kv_plugin.js"), findNode, nodeDescriptor},
}

func TestPluginsInOtherLanguagesBehaveTheSame(t *testing.T) {
	bin := t.TempDir()
	host := filepath.Join(bin, "host"+exeSuffix())
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", host, "./grpc/host").CombinedOutput(); err != nil {
		t.Fatalf("build the host: %v\n%s", err, out)
	}
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			// The host looks for the interpreter in PATH.
			t.Setenv("PATH", filepath.Dir(l.find(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
			compareGolden(t, filepath.Join("testdata", name+".golden"), normalise(runHost(t, host, l.script)))
		})
	}
}

func TestPluginsInOtherLanguagesRefuseToRunByHand(t *testing.T) {
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), l.find(t), l.script)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("got %v, want exit status 1", err)
			}
			if stdout.Len() > 0 || !strings.Contains(stderr.String(), kv.Handshake.MagicCookieKey) {
				t.Errorf("on stdout %q, on stderr %q", &stdout, &stderr)
			}
		})
	}
}

// Without a directory for sockets, the plugin uses a port in the host's range.
// SIGTERM ends the plugin in order.
func TestPluginsInOtherLanguagesListenOnAPort(t *testing.T) {
	const minPort, maxPort = 20000, 20100
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), l.find(t), l.script)
			cmd.Env = append(os.Environ(),
				kv.Handshake.MagicCookieKey+"="+kv.Handshake.MagicCookieValue,
				"PLUGIN_PROTOCOL_VERSIONS=1",
				"PLUGIN_MIN_PORT="+strconv.Itoa(minPort), "PLUGIN_MAX_PORT="+strconv.Itoa(maxPort))
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, _ := bufio.NewReader(stdout).ReadString('\n')
			fields := strings.Split(strings.TrimSpace(line), "|")
			if len(fields) != 6 || strings.Join([]string{fields[0], fields[1], fields[2], fields[4], fields[5]}, "|") != "1|1|tcp|grpc|" {
				t.Fatalf("the handshake line is %q", line)
			}
			address, err := netip.ParseAddrPort(fields[3])
			if err != nil || !address.Addr().IsLoopback() || address.Port() < minPort || address.Port() > maxPort {
				t.Errorf("the address is %q (%v)", fields[3], err)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("after SIGTERM: %v", err)
			}
		})
	}
}

// The generated code of other languages is made by hand (see their READMEs) and
// must match the current kv.proto.
func TestGeneratedCodeOfOtherLanguagesIsCurrent(t *testing.T) {
	want := protodesc.ToFileDescriptorProto(kvv1.File_kv_v1_kv_proto)
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			if got := l.descriptor(t, l.find(t)); !proto.Equal(got, want) {
				t.Errorf("got:\n%v\nwant:\n%v", got, want)
			}
		})
	}
}

// findPython returns a Python with gRPC: the first in PATH, or the system's.
func findPython(t *testing.T) string {
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import grpc, google.protobuf").Run() == nil {
			return path
		}
	}
	t.Skip("needs: a python3 with grpcio and protobuf (Debian's python3-grpcio and python3-protobuf)")
	return ""
}

// findNode returns Node.js if the plugin's packages are installed too.
func findNode(t *testing.T) string {
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs: node on the PATH")
	}
	if _, err := os.Stat(filepath.Join("node", "node_modules", "@grpc")); err != nil {
		t.Skip("needs: npm ci in the folder examples/node")
	}
	return path
}

func pythonDescriptor(t *testing.T, python string) *descriptorpb.FileDescriptorProto {
	cmd := exec.CommandContext(t.Context(), python, "-c",
		"import sys; from kv.v1 import kv_pb2; sys.stdout.buffer.write(kv_pb2.DESCRIPTOR.serialized_pb)")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join("python", "generated"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	file := new(descriptorpb.FileDescriptorProto)
	if err := proto.Unmarshal(out, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func nodeDescriptor(t *testing.T, _ string) *descriptorpb.FileDescriptorProto {
	text, err := os.ReadFile(filepath.Join("node", "descriptors.json"))
	if err != nil {
		t.Fatal(err)
	}
	set := new(descriptorpb.FileDescriptorSet)
	if err := protojson.Unmarshal(text, set); err != nil {
		t.Fatal(err)
	}
	for _, file := range set.GetFile() {
		if file.GetName() == kvv1.File_kv_v1_kv_proto.Path() {
			return file
		}
	}
	t.Fatal("kv.proto is not there")
	return nil
}
