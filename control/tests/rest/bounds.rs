//! What one caller can cost the others.

use super::*;

#[tokio::test]
async fn who_does_not_read_keeps_no_connection() {
    let limits = ApiLimits { connections: 1, answer: Duration::from_millis(50), ..ApiLimits::default() };
    let stage = Stage::set(limits).await;
    let mut deaf = TcpStream::connect(stage.api).await.unwrap();
    // More than all buffers on the way have room for.
    let asked = "GET /openapi.json HTTP/1.1\r\nhost: api\r\n\r\n".repeat(1_000);
    deaf.write_all(asked.as_bytes()).await.unwrap();
    let open = stage.send(b"GET /openapi.json HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n").await;
    assert_eq!(open.status, 200);
    drop(deaf);
    stage.end().await;
}

#[tokio::test]
async fn whose_body_is_too_large_is_told_so_even_while_sending() {
    let stage = Stage::set(ApiLimits::default()).await;
    let label = "x".repeat(8 << 20);
    let large = json!({ "metadata": { "name": "shop-one", "labels": { "a": label } } });
    let told = stage.post("/v2/staticroutes/", &large).await;
    assert!(told.status == 413 && told.head.contains("connection: close"), "{told:?}");
    stage.end().await;
}

#[tokio::test]
async fn of_a_body_full_of_faults_the_first_are_told_each_by_its_name_in_the_body() {
    let stage = Stage::set(ApiLimits::default()).await;
    let variables = vec![json!({ "name": "9" }); 20_000];
    let package = json!({
        "metadata": { "name": "shop", "version": "1" },
        "spec": {
            "executables": [{ "name": "web", "docker": { "image": "nginx" } }],
            "environmentVars": variables,
        },
    });
    let told = stage.post("/v2/packages/", &package).await;
    assert_eq!(told.status, 400);
    let faults = told.body["faults"].as_array().unwrap();
    assert_eq!((faults.len(), faults[100]["rule"].as_str()), (101, Some("more_faults")));
    assert!(!told.error().contains("plans["), "{}", told.error());
    assert!(told.error().contains("is taken by spec.environmentVars[0].name"), "{}", told.error());
    stage.end().await;
}
