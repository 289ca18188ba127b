package peercred

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// pair returns both ends of a connection within this process.
func pair(t *testing.T, network, address string) (dialled, accepted net.Conn) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err = new(net.Dialer).DialContext(t.Context(), network, listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = dialled.Close()
		_ = accepted.Close()
	})
	return dialled, accepted
}

func TestCredentialsAreKnownAtBothEnds(t *testing.T) {
	dialled, accepted := pair(t, "unix", filepath.Join(testkit.ShortDir(t), "s"))
	for name, conn := range map[string]net.Conn{"the dialler": dialled, "the listener": accepted} {
		peer, err := ask(conn.(*net.UnixConn), credentialsOf)
		if errors.Is(err, errUnsupported) {
			t.Skip("only on systems with peer credentials: ", err)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if peer.uid != os.Geteuid() || peer.gid != os.Getegid() || peer.pid != 0 && peer.pid != os.Getpid() {
			t.Errorf("%s got %+v", name, peer)
		}
		groups, err := ask(conn.(*net.UnixConn), groupsOf)
		if errors.Is(err, errUnsupported) {
			continue
		}
		own, ownErr := os.Getgroups()
		if err != nil || ownErr != nil {
			t.Fatalf("%s: %v, %v", name, err, ownErr)
		}
		for _, gid := range own {
			if len(own) < 16 && !slices.Contains(groups, gid) {
				t.Errorf("%s got the groups %v, of %v", name, groups, own)
			}
		}
	}
}

func TestPolicyAcceptsThisUser(t *testing.T) {
	dialled, accepted := pair(t, "unix", filepath.Join(testkit.ShortDir(t), "s"))
	for _, conn := range []net.Conn{dialled, accepted} {
		if err := (Policy{}).Check(conn); err != nil {
			t.Error(err)
		}
	}
}

func TestPolicyAcceptsOtherNetworks(t *testing.T) {
	dialled, accepted := pair(t, "tcp", "127.0.0.1:0")
	for _, conn := range []net.Conn{dialled, accepted} {
		if err := (Policy{}).Check(conn); err != nil {
			t.Error(err)
		}
	}
}

func TestPolicyAcceptsUsersAndGroups(t *testing.T) {
	if os.Geteuid() < 0 {
		t.Skip("only on systems with user IDs")
	}
	other := os.Geteuid() + 1000
	policy := Policy{Users: []int{other}}
	for uid, want := range map[int]bool{0: true, os.Geteuid(): true, other: true, other + 1: false} {
		if policy.acceptsUser(uid) != want {
			t.Errorf("user %d: not %t", uid, want)
		}
	}
}

func TestPolicyRefusesAConnectionWithoutCredentials(t *testing.T) {
	dialled, _ := pair(t, "unix", filepath.Join(testkit.ShortDir(t), "s"))
	if _, err := ask(dialled.(*net.UnixConn), credentialsOf); errors.Is(err, errUnsupported) {
		t.Skip("only on systems with peer credentials: ", err)
	}
	_ = dialled.Close()
	if err := (Policy{}).Check(dialled); err == nil {
		t.Error("accepted")
	}
}
