package languages

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// folder is the folder of the examples, relative to a folder of this module.
const folder = "../../examples"

// Language is a language with an example plugin.
type Language struct {
	// Name is "python" or "node".
	Name string

	script, probe string
	find          func(t *testing.T) string
}

// Python returns the language Python.
func Python() Language {
	return Language{"python", filepath.Join("python", "kv_plugin.py"), "probe.py", findPython}
}

// Node returns the language JavaScript, on Node.
func Node() Language {
	return Language{"node", filepath.Join("node", "kv_plugin.js"), "probe.mjs", findNode}
}

// These are the roles of a probe.
const (
	PluginRole = "plugin"
	HostRole   = "host"
)

// Probe returns the command of the suite's probe in this language, or skips the test.
func (l Language) Probe(t *testing.T, role string) []string {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("..", "languages", l.probe))
	if err != nil {
		t.Fatal(err)
	}
	interpreter := l.find(t)
	probe := conformancev1.File_conformance_v1_probe_proto
	set := &descriptorpb.FileDescriptorSet{}
	for i := range probe.Imports().Len() {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(probe.Imports().Get(i)))
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(probe))
	text, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	descriptors := filepath.Join(t.TempDir(), "probe.binpb")
	if err := os.WriteFile(descriptors, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{interpreter, script, descriptors, role}
}

// Command returns the interpreter and the script of the plugin, or skips the test.
func (l Language) Command(t *testing.T) (interpreter, script string) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(folder, l.script))
	if err != nil {
		t.Fatal(err)
	}
	return l.find(t), script
}

func findPython(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import grpc, google.protobuf").Run() == nil {
			return path
		}
	}
	t.Skip("needs: a python3 with grpcio and protobuf (Debian's python3-grpcio and python3-protobuf)")
	return ""
}

func findNode(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs: node on the PATH")
	}
	if _, err := os.Stat(filepath.Join(folder, "node", "node_modules", "@grpc")); err != nil {
		t.Skip("needs: npm ci in the folder examples/node")
	}
	return path
}
