package examples_test

import (
	"bufio"
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	counterv1 "github.com/jackfield-go/jackfield/examples/proto/counter/v1"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
)

// language is a language other than Go. Its folder has a key-value plugin, and a plugin
// and a host of counters.
type language struct {
	extension string
	// find returns the interpreter, or skips the test.
	find func(t *testing.T) string
	// descriptors returns the generated code's versions of kv.proto and counter.proto.
	descriptors func(t *testing.T, interpreter string) []*descriptorpb.FileDescriptorProto
}

var languages = map[string]language{
	"python": {".py", findPython, pythonDescriptors},
	"node":   {".js", findNode, nodeDescriptors},
}

// script returns the path of a program in a language's folder.
func script(language, program string) string {
	return "." + string(filepath.Separator) + filepath.Join(language, program+languages[language].extension)
}

// setInterpreter makes the scripts' first lines find the interpreter, which is the one in
// PATH for a host too.
func (l language) setInterpreter(t *testing.T) (interpreter string) {
	t.Helper()
	interpreter = l.find(t)
	t.Setenv("PATH", filepath.Dir(interpreter)+string(os.PathListSeparator)+os.Getenv("PATH"))
	return interpreter
}

func buildExample(t *testing.T, folder string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), filepath.Base(folder)+exeSuffix())
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, folder).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", folder, err, out)
	}
	return program
}

func TestPluginsInOtherLanguagesBehaveTheSame(t *testing.T) {
	host := buildExample(t, "./grpc/host")
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			l.setInterpreter(t)
			printed := runHost(t, host, script(name, "kv_plugin"))
			compareGolden(t, filepath.Join("testdata", name+".golden"), normalise(printed))
		})
	}
}

func TestPluginsInOtherLanguagesCallTheirHostBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a script can be a program")
	}
	host := buildExample(t, "./bidirectional/host")
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			l.setInterpreter(t)
			printed := runHost(t, host, script(name, "counter_plugin"))
			compareGolden(t, filepath.Join("testdata", "counter-plugin.golden"), normalise(printed))
			checkCallbacks(t, printed)
		})
	}
}

func TestPluginsInOtherLanguagesRefuseToRunByHand(t *testing.T) {
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), l.find(t), script(name, "kv_plugin"))
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
			cmd := exec.CommandContext(t.Context(), l.find(t), script(name, "kv_plugin"))
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

// described are the files of generated code in other languages.
var described = []protoreflect.FileDescriptor{kvv1.File_kv_v1_kv_proto, counterv1.File_counter_v1_counter_proto}

// The generated code of other languages is made by hand (see their READMEs) and
// must match the current .proto files.
func TestGeneratedCodeOfOtherLanguagesIsCurrent(t *testing.T) {
	for name, l := range languages {
		t.Run(name, func(t *testing.T) {
			got := l.descriptors(t, l.find(t))
			for i, file := range described {
				if want := protodesc.ToFileDescriptorProto(file); !proto.Equal(got[i], want) {
					t.Errorf("got:\n%v\nwant:\n%v", got[i], want)
				}
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

func pythonDescriptors(t *testing.T, python string) []*descriptorpb.FileDescriptorProto {
	t.Helper()
	var files []*descriptorpb.FileDescriptorProto
	for _, name := range []string{"kv", "counter"} {
		cmd := exec.CommandContext(t.Context(), python, "-c",
			"import sys; from "+name+".v1 import "+name+"_pb2 as pb; sys.stdout.buffer.write(pb.DESCRIPTOR.serialized_pb)")
		cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join("python", "generated"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		file := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(out, file); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func nodeDescriptors(t *testing.T, _ string) []*descriptorpb.FileDescriptorProto {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("node", "descriptors.json"))
	if err != nil {
		t.Fatal(err)
	}
	set := new(descriptorpb.FileDescriptorSet)
	if err := protojson.Unmarshal(text, set); err != nil {
		t.Fatal(err)
	}
	files := make([]*descriptorpb.FileDescriptorProto, len(described))
	for _, file := range set.GetFile() {
		for i, of := range described {
			if file.GetName() == of.Path() {
				files[i] = file
			}
		}
	}
	return files
}
