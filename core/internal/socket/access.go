package socket

import "fmt"

// nobody stands for no user and no group. It is what chown(2) takes for "leave
// it as it is".
const nobody = -1

// Access says who may use a directory and the sockets in it, beside this user.
// The zero value is nobody else.
type Access struct {
	user, group *int
}

// NewAccess finds the user and the group, each by its name or its number; empty
// for none. A user gets the directory, so that its process can make sockets
// there.
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

// WithUser returns the access with another user, by number. One that is this
// process's own needs no access.
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

// shared reports whether others than this user have to get there.
func (a Access) shared() bool { return a.user != nil || a.group != nil }

// mustPass reports whether others have to pass the directories above: root always
// can.
func (a Access) mustPass() bool { return a.group != nil || a.user != nil && *a.user != 0 }

func deref(number *int) (int, bool) {
	if number == nil {
		return nobody, false
	}
	return *number, true
}

// UserIDs returns the numbers of users that are given by number or name.
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
