package socket

import "fmt"

// nobody stands for no user and no group. chown(2) takes it for "leave it as it
// is".
const nobody = -1

// Access defines the users of a directory and its sockets, besides this user.
// The zero value allows nobody else.
type Access struct {
	user, group *int
}

// NewAccess looks up the user and the group, each by name or ID; empty for
// none. A user gets the directory, so that its process can make sockets there.
func NewAccess(user, group string) (Access, error) {
	var access Access
	if user != "" {
		uid, err := userID(user)
		if err != nil {
			return Access{}, fmt.Errorf("the user that the plugin runs as: %w", err)
		}
		access = access.WithUser(uid)
	}
	if group != "" {
		gid, err := groupID(group)
		if err != nil {
			return Access{}, fmt.Errorf("the group that may use the plugin's sockets: %w", err)
		}
		access.group = &gid
	}
	return access, nil
}

// WithUser returns the access with another user, by ID. This process's own user
// needs no access.
func (a Access) WithUser(uid int) Access {
	a.user = nil
	if !isSelf(uid) {
		a.user = &uid
	}
	return a
}

// User returns the other user.
func (a Access) User() (uid int, ok bool) { return deref(a.user) }

// Group returns the group.
func (a Access) Group() (gid int, ok bool) { return deref(a.group) }

// shared reports whether other users need access.
func (a Access) shared() bool { return a.user != nil || a.group != nil }

// mustPass reports whether other users must pass the directories above: root
// always can.
func (a Access) mustPass() bool { return a.group != nil || a.user != nil && *a.user != 0 }

func deref(number *int) (int, bool) {
	if number == nil {
		return nobody, false
	}
	return *number, true
}

// UserIDs returns the IDs of users given by ID or name.
func UserIDs(names []string) ([]int, error) {
	var uids []int
	for _, name := range names {
		uid, err := userID(name)
		if err != nil {
			return nil, err
		}
		uids = append(uids, uid)
	}
	return uids, nil
}
