package languages

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// NeedsOpenSSL skips the test if Python's gRPC is made with BoringSSL, as PyPI's
// grpcio is, and not linked with OpenSSL, as Debian's is. BoringSSL does not take
// the certificates of go-plugin's hosts, and cannot be told by a file what to take.
func NeedsOpenSSL(t *testing.T) {
	t.Helper()
	where := exec.CommandContext(t.Context(), findPython(t), "-c", "import grpc._cython.cygrpc as c; print(c.__file__)")
	path, err := where.Output()
	if err != nil {
		t.Fatal(err)
	}
	library, err := os.ReadFile(strings.TrimSpace(string(path)))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(library, []byte("boringssl")) {
		t.Skip("needs: a grpcio that is linked with OpenSSL (Debian's python3-grpcio)")
	}
}
