from tests.plugin.fixtures import JsonClient


def test_user_registration_flow(client: JsonClient) -> None:
    response = client.post(
        "/api/v1/users", json={"email": "test@example.com", "password": "SecurePass123!"}
    )
    assert response.status_code == 201
    data = response.json()
    assert "id" in data
    assert data["email"] == "test@example.com"
